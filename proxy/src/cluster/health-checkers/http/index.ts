// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { request } from "node:http";
import { type HealthChecker, HealthVerdict } from "../../health-checker.ts";
import { refuseOptions } from "../../health-payload.ts";

/** What is asked, and which answers are good: ranges of statuses, the end not included. */
export interface HttpCheckOptions {
  readonly host: string;
  readonly path: string;
  readonly statuses: readonly (readonly [from: number, to: number])[];
}

/** An HTTP/1.1 GET with a good status, 200 unless said. Envoy's `http_health_check`. */
export const checker: HealthChecker<HttpCheckOptions> = {
  readOptions({ host = "", path = "/", ...others }) {
    refuseOptions(others);
    if (typeof host !== "string" || typeof path !== "string")
      throw new TypeError("host and path must be text");
    return { host, path, statuses: [[200, 201]] };
  },

  check({ address, port, hostname }, { host, path, statuses }, signal) {
    const name = host !== "" ? host : hostname;
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: address, port, path, signal, agent: false, headers: name === "" ? {} : { host: name } },
        ({ statusCode = 0 }) => {
          asked.destroy();
          if (statuses.some(([from, to]) => statusCode >= from && statusCode < to)) resolve();
          else reject(new HealthVerdict(`answered ${statusCode}`));
        },
      );
      asked.on("error", reject);
      asked.end();
    });
  },
};
