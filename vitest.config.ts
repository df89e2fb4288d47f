import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["msm-source"] },
  ssr: { resolve: { conditions: ["msm-source"] } },
  test: {
    include: ["**/*.test.ts"],
    setupFiles: ["vitest.setup.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/gen/**"],
    // Worker threads and sockets cost more than tests: two forks fill the two cores that CI has.
    pool: "forks",
    testTimeout: 20_000,
  },
});
