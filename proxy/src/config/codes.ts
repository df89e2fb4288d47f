// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { tlsCodes } from "./tls/tls-codes.ts";

/** A refusal as the README lists it: the stable code, what it means, and what to do. */
export interface CodeEntry {
  readonly code: string;
  readonly means: string;
  readonly remedy: string;
}

/** Every code with which this proxy refuses configuration. The table in README.md is generated from it. */
export const codes = [
  {
    code: "MSM_BOOTSTRAP_UNREADABLE",
    means: "The bootstrap file cannot be read.",
    remedy: "Check the path given with `-c` and its permissions.",
  },
  {
    code: "MSM_BOOTSTRAP_YAML",
    means: "The bootstrap file is not YAML.",
    remedy: "Correct the line that is named.",
  },
  {
    code: "MSM_BOOTSTRAP_SHAPE",
    means: "A key or a value is not one of Envoy's Bootstrap message.",
    remedy: "Correct the spelling or the type of the field that is named.",
  },
  {
    code: "MSM_BOOTSTRAP_NODE",
    means: "The node has no id, so that a control plane could not tell it from others.",
    remedy: "Set `node.id` and `node.cluster`.",
  },
  {
    code: "MSM_BOOTSTRAP_API_TYPE",
    means: "The control plane is to be asked by a protocol that this proxy does not speak.",
    remedy: "Set `api_type` to DELTA_GRPC or GRPC and `transport_api_version: V3`.",
  },
  {
    code: "MSM_BOOTSTRAP_ADS_TARGET",
    means: "The address of the control plane cannot be told.",
    remedy: "Name a static cluster with one endpoint, or give `google_grpc.target_uri`.",
  },
  {
    code: "MSM_BOOTSTRAP_TLS",
    means: "The control plane cannot be reached over TLS as it is described.",
    remedy: "Give the files of `trusted_ca` and, for mutual TLS, of one certificate and its key.",
  },
  {
    code: "MSM_BOOTSTRAP_SUBSCRIPTION",
    means: "A control plane is named, but nothing is asked of it, or the other way round.",
    remedy:
      "Set `lds_config` and `cds_config` to `{ ads: {}, resource_api_version: V3 }` beside `ads_config`.",
  },
  {
    code: "MSM_BOOTSTRAP_ADDRESS",
    means: "The admin interface, or the port for metrics or health, cannot be bound.",
    remedy: "Stop the other process that has the port, or use another one; port 0 takes a free one.",
  },
  {
    code: "MSM_BOOTSTRAP_DUPLICATE_NAME",
    means: "Two static resources of one type have the same name.",
    remedy: "Rename one of them.",
  },
  {
    code: "MSM_BOOTSTRAP_UNRESOLVED",
    means: "A static listener needs something that neither the file nor a control plane provides.",
    remedy: "Add the cluster or the filter that is named, or the control plane that has it.",
  },
  {
    code: "MSM_CONFIG_UNDECODABLE",
    means: "The bytes of a resource are not a message of its type.",
    remedy: "Find out which control plane sends it; the resource is damaged.",
  },
  {
    code: "MSM_CONFIG_INVALID",
    means: "A value breaks the rule that Envoy's API states for its field.",
    remedy: "Set the field to a value that the message allows.",
  },
  {
    code: "MSM_CONFIG_MISSING",
    means: "A field that is needed is not set.",
    remedy: "Set the field.",
  },
  {
    code: "MSM_CONFIG_UNKNOWN_FIELD",
    means: "A message holds fields newer than the API that this proxy was built with.",
    remedy: "Upgrade the proxy, or do not send the field.",
  },
  {
    code: "MSM_CONFIG_UNSUPPORTED_FIELD",
    means: "A field is set that would change behaviour and that this proxy does not honour.",
    remedy: "Remove the field.",
  },
  {
    code: "MSM_CONFIG_UNSUPPORTED_VALUE",
    means: "A field has a value that this proxy does not honour.",
    remedy: "Use the value that the message names.",
  },
  {
    code: "MSM_CONFIG_TYPE",
    means: "An extension is of a type that this proxy does not have.",
    remedy: "Use the type that the message names.",
  },
  {
    code: "MSM_CONFIG_SOURCE",
    means: "A resource is to come from a source other than the aggregated stream.",
    remedy: "Use `{ ads: {}, resource_api_version: V3 }`.",
  },
  {
    code: "MSM_CONFIG_ADDRESS",
    means: "An address is not an IP address with a numeric port.",
    remedy: "Give `socket_address` with an IPv4 or IPv6 address and `port_value`.",
  },
  {
    code: "MSM_CONFIG_FAULT",
    means: "The proxy itself failed while it read a resource.",
    remedy: "Report it with the resource and the message; the last good form stays in force.",
  },
  {
    code: "MSM_LISTENER_NOT_UDP",
    means: "A listener is not a UDP listener.",
    remedy: "Set `protocol: UDP` and use `listener_filters` instead of `filter_chains`.",
  },
  {
    code: "MSM_LISTENER_FILTERS",
    means: "A listener's filters do not end with a udp_proxy, or two have one name.",
    remedy: "Put one `envoy.filters.udp_listener.udp_proxy` last, and rename filters of the same name.",
  },
  {
    code: "MSM_LISTENER_MATCHER",
    means: "A udp_proxy chooses its cluster by a matcher that this proxy does not have.",
    remedy:
      "Match `SourceIPInput` or `SourcePortInput` by text, `Ip` or `RuntimeFraction`; each action is a `Route`.",
  },
  {
    code: "MSM_LISTENER_DUPLICATE_ADDRESS",
    means: "Two listeners have the same address and port.",
    remedy: "Change the port of one of them.",
  },
  {
    code: "MSM_LISTENER_BIND",
    means: "The address of a listener cannot be bound.",
    remedy: "Stop the other process that has the port, or use another address or port.",
  },
  {
    code: "MSM_LISTENER_FILTER_CHAIN",
    means: "A TCP listener does not have one filter chain with one of the two forms that there are.",
    remedy:
      "Give it one chain without a match: one `msm.network.v1.SignallingProxy`, or a `network.wasm.v3.Wasm` and a `tcp_proxy` behind it.",
  },
  {
    code: "MSM_LISTENER_LIMITS",
    means: "The metadata `io.mediastreamingmesh.limits` of a listener cannot be understood.",
    remedy: "Write the limits that the README names, as whole numbers from 1 on, at a UDP listener.",
  },
  ...tlsCodes,
  {
    code: "MSM_LISTENER_HASH",
    means: "The metadata `io.mediastreamingmesh.hash` of a listener cannot be understood.",
    remedy:
      "Write `first_datagram: { offset, length }` or `session_key: true`, and no hash_policies beside it.",
  },
  {
    code: "MSM_ROUTE_DOMAIN",
    means: "A domain of a virtual host is no name, or stands in two virtual hosts.",
    remedy: "Write a name, `*.suffix`, `prefix.*` or `*`, and each of them once.",
  },
  {
    code: "MSM_ROUTE_MATCH",
    means: "What a route matches is something that this proxy does not look at.",
    remedy:
      "Match `path`, `prefix`, `path_separated_prefix` or `safe_regex`, headers, `:method` and `:path`.",
  },
  {
    code: "MSM_ROUTE_ACTION",
    means: "What a route does with a request is not possible here, or is said twice.",
    remedy: "Use `cluster` or `weighted_clusters` with one path rewrite, or `direct_response`.",
  },
  {
    code: "MSM_ROUTE_REGEX",
    means: "A regular expression is wrong, or uses a part of RE2's syntax that this proxy does not have.",
    remedy: "Write it without flags, look-around and classes by name.",
  },
  {
    code: "MSM_CLUSTER_DISCOVERY",
    means: "The endpoints of a cluster are to be found in a way that this proxy does not have.",
    remedy: "Use `type: EDS`, STATIC, STRICT_DNS or LOGICAL_DNS.",
  },
  {
    code: "MSM_CLUSTER_DNS",
    means: "How a cluster finds its endpoints by DNS contradicts itself, or it does not find them so.",
    remedy: "Correct the field that is named, or remove it where endpoints have addresses.",
  },
  {
    code: "MSM_CLUSTER_CAPACITY",
    means: "All clusters together have more endpoints than this proxy has room for.",
    remedy: "Send it the clusters alone that it needs, or spread them over several proxies.",
  },
  {
    code: "MSM_CLUSTER_LB_POLICY",
    means:
      "The load-balancing policy of a cluster is not one that this proxy has, or has options of another.",
    remedy:
      "Use ROUND_ROBIN, LEAST_REQUEST, RANDOM, RING_HASH or MAGLEV, with the options of that policy alone.",
  },
  {
    code: "MSM_CLUSTER_LB_SUBSET",
    means:
      "The subsets of a cluster contradict themselves, or fall back in a way that this proxy does not have.",
    remedy: "Use NO_FALLBACK, ANY_ENDPOINT or DEFAULT_SUBSET, and selectors with different keys.",
  },
  {
    code: "MSM_CLUSTER_HEALTH_CHECK",
    means: "A health check of a cluster is of a kind that this proxy does not have, or has wrong options.",
    remedy: "Use `tcp_health_check`, `http_health_check` or a `custom_health_check` that the message names.",
  },
  {
    code: "MSM_CLUSTER_DRAIN_LINGER",
    means: "For how long endpoints that are taken out keep their sessions cannot be understood.",
    remedy: 'Write `drain_linger` as a duration from "0s" to "86400s".',
  },
  {
    code: "MSM_CLUSTER_METADATA",
    means: "The metadata `io.mediastreamingmesh.cluster` of a cluster cannot be understood.",
    remedy: "Use the fields and values that the message names.",
  },
  {
    code: "MSM_CLUSTER_MEDIA",
    means: "Which loss or jitter takes endpoints of a cluster out cannot be understood.",
    remedy:
      'Write `loss_threshold` as percent above 0 and `jitter_threshold` as a duration from "0.001s" on, beside `outlier_detection`.',
  },
  {
    code: "MSM_CLUSTER_SILENCE",
    means: "When silent endpoints of a cluster are taken out is not said in a way that can be honoured.",
    remedy:
      'Write `response_silence` and `stream_silence` as durations from "0.2s" on, beside `outlier_detection`.',
  },
  {
    code: "MSM_FILTER_RUNTIME",
    means: "A filter asks for a WebAssembly runtime that this proxy does not have.",
    remedy:
      "Use `envoy.wasm.runtime.v8`, `msm.runtime.wasi`, `msm.runtime.quickjs`, or `envoy.wasm.runtime.null` for a built-in filter.",
  },
  {
    code: "MSM_FILTER_CODE",
    means: "The code of a filter is not given in a way that this proxy can read.",
    remedy:
      "Use `vm_config.code.local` with `filename` or `inline_bytes`, or `remote` with a URI and its SHA-256.",
  },
  {
    code: "MSM_FILTER_FILE",
    means: "The file of a filter's code cannot be read.",
    remedy: "Check the path, as seen by the proxy, and its permissions.",
  },
  {
    code: "MSM_FILTER_BUILTIN",
    means: "There is no built-in filter of this name, or the built-in filters are not installed.",
    remedy: "Use one of the names in the message, or give the folder with `--filters`.",
  },
  {
    code: "MSM_FILTER_DIGEST_MISMATCH",
    means: "The file of a built-in filter is not the one that its list names.",
    remedy: "Build the filters again, or install them anew.",
  },
  {
    code: "MSM_FILTER_CONFIGURATION_TYPE",
    means: "The configuration of a filter is of a type that cannot be handed to it.",
    remedy: "Use a `StringValue`, a `BytesValue` or a `Struct`.",
  },
  {
    code: "MSM_FILTER_FAILURE_POLICY",
    means: "The failure policy of a filter cannot be honoured.",
    remedy: "Use `failure_policy: FAIL_CLOSED`, `FAIL_OPEN` or `FAIL_RELOAD`, and not `fail_open` beside it.",
  },
  {
    code: "MSM_FILTER_NOT_WASM",
    means: "The code of a filter is not a WebAssembly module.",
    remedy: "Check the file, or the bytes that were sent.",
  },
  {
    code: "MSM_FILTER_TOO_LARGE",
    means: "The module of a filter is larger than the proxy accepts.",
    remedy: "Build it with optimisation and without debug information.",
  },
  {
    code: "MSM_FILTER_ABI",
    means: "The module lacks exports that a filter must have, or is made for another version.",
    remedy: "Build it with the filter SDK of this release.",
  },
  {
    code: "MSM_FILTER_IMPORT",
    means: "The module needs a host function that this proxy does not have.",
    remedy: "Build it without the import that is named.",
  },
  {
    code: "MSM_FILTER_OPCODE",
    means:
      "The module uses WebAssembly features that are not allowed or not known, so that it cannot be bounded.",
    remedy: "Build it without the feature that is named: threads, exceptions or garbage collection.",
  },
  {
    code: "MSM_FILTER_MEMORY",
    means:
      "The memory or the tables of the module begin larger than a filter may have, or are of an unusual kind.",
    remedy: "Build it with one plain memory of at most 16 MiB.",
  },
  {
    code: "MSM_FILTER_SCRIPT",
    means: "The code of a JavaScript filter is no text.",
    remedy: "Give the source as UTF-8.",
  },
  {
    code: "MSM_FILTER_FETCH",
    means: "Remote code could not be fetched, after all retries.",
    remedy: "Check the URI and that the proxy reaches it; send the configuration again.",
  },
  {
    code: "MSM_FILTER_FETCHING",
    means: "Remote code is not in the cache yet, and the configuration says not to wait for it.",
    remedy: "Send the configuration again in a while, or leave nack_on_code_cache_miss out.",
  },
  {
    code: "MSM_FILTER_START",
    means: "The filter failed when it was started for a trial.",
    remedy: "Read what it logged, in the message.",
  },
  {
    code: "MSM_FILTER_STAGE",
    means: "A filter does not run at the stage where it is configured.",
    remedy:
      "Put it among the listener filters, the session filters or the filters of a flow, as it says of itself.",
  },
  {
    code: "MSM_FILTER_CONFIG",
    means: "The filter did not accept its configuration.",
    remedy: "Correct the configuration; what the filter logged is in the message.",
  },
  {
    code: "MSM_FLOW_ADDRESS",
    means: "A local address or port of a leg cannot be bound.",
    remedy: "Use an address of this host and a port that is free, or leave the port out.",
  },
  {
    code: "MSM_FLOW_INVALID",
    means: "A field of a flow has a value that makes no sense.",
    remedy: "Correct the field that is named.",
  },
  {
    code: "MSM_FLOW_LIMIT",
    means: "A flow, or all of them, would be more than this proxy takes.",
    remedy: "Use fewer legs or flows, or spread them over more proxies.",
  },
  {
    code: "MSM_FLOW_MEMORY",
    means: "The proxy has as much memory as `--memory-limit` lets it have; flows that are open go on.",
    remedy: "Close flows, raise the limit, or spread flows over more proxies.",
  },
  {
    code: "MSM_FLOW_PORTS",
    means: "No media port is free at the local address.",
    remedy: "Close flows, widen the range of media ports, or use another local address.",
  },
  {
    code: "MSM_XDS_TYPE",
    means: "A resource is not of the type that the response announces.",
    remedy: "Correct the control plane.",
  },
  {
    code: "MSM_XDS_NAME",
    means: "A resource has no name, another name inside than outside, or a name used twice in one response.",
    remedy: "Correct the control plane.",
  },
  {
    code: "MSM_XDS_STATIC",
    means: "A resource has the name of a static one, which cannot be changed.",
    remedy: "Rename it, or take the static one out of the bootstrap file.",
  },
] as const satisfies readonly CodeEntry[];

/** One of the codes of the table. */
export type ConfigCode = (typeof codes)[number]["code"];

/** The table "code, means, do this" in Markdown. */
export function codesTable(): string {
  const rows = codes.map(({ code, means, remedy }) => `| \`${code}\` | ${means} | ${remedy} |`);
  return ["| code | means | do this |", "|---|---|---|", ...rows].join("\n");
}
