// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { describe, expect, test } from "vitest";
import { BuiltinFilters } from "./builtin-filters.ts";
import { type FilterHost, FilterLoader } from "./filter-loader.ts";
import { readResource } from "./read-resource.ts";
import { builtinFolder, EMPTY_MODULE, fakeFilterHost } from "./testdata/filters.ts";
import { read, refusal } from "./testdata/read.ts";
import { ecdsJson, pluginJson, resource, udpProxyJson } from "./testdata/resources.ts";

const freshLoader = (): FilterLoader => new FilterLoader(fakeFilterHost, new BuiltinFilters(builtinFolder()));

describe("a filter", () => {
  const value = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "text" };
  const struct = { "@type": "type.googleapis.com/google.protobuf.Struct", value: { a: [1, "b"] } };
  const bytes = { "@type": "type.googleapis.com/google.protobuf.BytesValue", value: "AAEC" };
  test.each<[string, JsonObject | undefined, string]>([
    ["a text", value, "text"],
    ["a Struct as JSON", struct, '{"a":[1,"b"]}'],
    ["bytes", bytes, "\x00\x01\x02"],
    ["nothing", undefined, ""],
  ])("gets %s as its configuration", async (_, configuration, expected) => {
    const plugin = pluginJson(configuration === undefined ? {} : { configuration });
    const plan = await read("typedExtensionConfig", "a", ecdsJson("a", plugin));
    expect(new TextDecoder().decode(plan.configuration)).toBe(expected);
    expect(plan.name).toBe("a");
  });

  const code = (local: JsonObject, runtime = "envoy.wasm.runtime.v8") => ({
    vm_config: { runtime, code: { local } },
  });
  const remote = (changes: JsonObject) => {
    const http_uri = { uri: "http://127.0.0.1:1/a.wasm", cluster: "direct", timeout: "1s" };
    return { vm_config: { code: { remote: { http_uri, sha256: "0".repeat(64), ...changes } } } };
  };
  test.each<[string, JsonObject, string]>([
    [
      "an unknown runtime",
      code({ inline_bytes: "AA==" }, "envoy.wasm.runtime.wamr"),
      "MSM_FILTER_RUNTIME typed_config.vm_config.runtime",
    ],
    ["no code", { vm_config: {} }, "MSM_FILTER_CODE typed_config.vm_config.code"],
    [
      "remote code by way of a cluster",
      remote({ http_uri: { uri: "http://a", cluster: "b", timeout: "1s" } }),
      "MSM_FILTER_CODE typed_config.vm_config.code.remote.http_uri.cluster",
    ],
    [
      "remote code whose digest is none",
      remote({ sha256: "x" }),
      "MSM_FILTER_CODE typed_config.vm_config.code.remote.sha256",
    ],
    [
      "remote code from a file",
      remote({ http_uri: { uri: "file:///etc/passwd", cluster: "direct", timeout: "1s" } }),
      "MSM_FILTER_CODE typed_config.vm_config.code.remote.http_uri.uri",
    ],
    [
      "remote code that is asked for a hundred times",
      remote({ retry_policy: { num_retries: 100 } }),
      "MSM_CONFIG_INVALID typed_config.vm_config.code.remote.retry_policy",
    ],
    [
      "a file that is not there",
      code({ filename: "/nowhere/filter.wasm" }),
      "MSM_FILTER_FILE typed_config.vm_config.code",
    ],
    [
      "bytes that are no module",
      code({ inline_bytes: "AAAA" }),
      "MSM_FILTER_NOT_WASM typed_config.vm_config.code",
    ],
    [
      "an unknown built-in",
      code({ inline_string: "nope" }, "envoy.wasm.runtime.null"),
      "MSM_FILTER_BUILTIN typed_config.vm_config.code",
    ],
    [
      "a configuration that it does not accept",
      { configuration: { ...value, value: "bad" } },
      "MSM_FILTER_CONFIG typed_config",
    ],
    [
      "a configuration of another type",
      { configuration: udpProxyJson("x") },
      "MSM_FILTER_CONFIGURATION_TYPE typed_config.configuration",
    ],
    [
      "a longest wait below the first one",
      {
        failure_policy: "FAIL_RELOAD",
        reload_config: { backoff: { base_interval: "2s", max_interval: "1s" } },
      },
      "MSM_CONFIG_INVALID typed_config.reload_config.backoff",
    ],
    [
      "two failure policies",
      { failure_policy: "FAIL_OPEN", fail_open: true },
      "MSM_FILTER_FAILURE_POLICY typed_config.failure_policy",
    ],
    [
      "environment variables",
      { vm_config: { environment_variables: { host_env_keys: ["HOME"] } } },
      "MSM_CONFIG_UNSUPPORTED_FIELD typed_config.vm_config.environment_variables",
    ],
  ])("with %s is refused", async (_, changes, expected) => {
    expect(await refusal("typedExtensionConfig", "a", ecdsJson("a", pluginJson(changes)))).toBe(expected);
  });

  test("whose file is not the one that the list of built-in filters names is refused", async () => {
    const tampered = new FilterLoader(fakeFilterHost, new BuiltinFilters(builtinFolder("0".repeat(64))));
    const reading = readResource("typedExtensionConfig", resource("a", ecdsJson("a")), tampered);
    await expect(reading).rejects.toMatchObject({ code: "MSM_FILTER_DIGEST_MISMATCH" });
  });

  test("runs on what its runtime names", async () => {
    const bytes = Buffer.from(EMPTY_MODULE).toString("base64");
    const trusts: string[] = [];
    const host: FilterHost = {
      ...fakeFilterHost,
      compileFilter(code, field, trust) {
        trusts.push(trust);
        return fakeFilterHost.compileFilter(code, field, trust);
      },
    };
    const loader = new FilterLoader(host, new BuiltinFilters(builtinFolder()));
    for (const runtime of ["envoy.wasm.runtime.v8", "msm.runtime.wasi", "msm.runtime.quickjs"]) {
      const plugin = ecdsJson("a", pluginJson(code({ inline_bytes: bytes }, runtime)));
      await readResource("typedExtensionConfig", resource("a", plugin), loader);
    }
    expect(trusts).toEqual(["plugin", "wasi", "script"]);
  });

  test("is fetched, and a failure says from where", async () => {
    const plugin = ecdsJson("a", pluginJson(remote({ retry_policy: { num_retries: 0 } })));
    const reading = readResource("typedExtensionConfig", resource("a", plugin), freshLoader());
    await expect(reading).rejects.toMatchObject({
      code: "MSM_FILTER_FETCH",
      message: expect.stringContaining("http://127.0.0.1:1/a.wasm"),
    });
  });

  test("fails as it is told to", async () => {
    const policyOf = async (changes: JsonObject) =>
      (await read("typedExtensionConfig", "a", ecdsJson("a", pluginJson(changes)))).failurePolicy;
    expect(await policyOf({})).toBe("FAIL_CLOSED");
    expect(await policyOf({ fail_open: true })).toBe("FAIL_OPEN");
    expect(await policyOf({ failure_policy: "FAIL_OPEN" })).toBe("FAIL_OPEN");
    expect(await policyOf({ failure_policy: "FAIL_CLOSED" })).toBe("FAIL_CLOSED");
  });

  test("is made anew after it broke as it is told to, and restricted to the capabilities named", async () => {
    const planOf = (changes: JsonObject) =>
      read("typedExtensionConfig", "a", ecdsJson("a", pluginJson(changes)));
    const backoff = { base_interval: "0.5s" };
    const reloaded = await planOf({ failure_policy: "FAIL_RELOAD", reload_config: { backoff } });
    expect(reloaded).toMatchObject({ failurePolicy: "FAIL_CLOSED", reload: { baseMs: 500, maxMs: 5_000 } });
    expect(await planOf({ failure_policy: "FAIL_RELOAD" })).toMatchObject({
      reload: { baseMs: 1_000, maxMs: 10_000 },
    });
    const allowed_capabilities = { proxy_log: {}, fd_write: {} };
    const restricted = await planOf({ capability_restriction_config: { allowed_capabilities } });
    expect(restricted).toMatchObject({ capabilities: ["fd_write", "proxy_log"] });
  });
});
