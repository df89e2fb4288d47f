// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What a refusal code means and what to do about it; the README's table is made from this. */
export interface RefusalCodeText {
  readonly meaning: string;
  readonly remedy: string;
}

/** Every reason for which configuration is refused. The codes are stable: scripts and alerts may rely on them. */
export const refusalCodes = {
  MSM_FILE_UNREADABLE: {
    meaning: "A configuration file cannot be read.",
    remedy: "Check the path and its permissions.",
  },
  MSM_FILE_TOO_LARGE: {
    meaning: "A configuration file is over the size limit.",
    remedy: "Split it into several files in one folder.",
  },
  MSM_FILE_EMPTY: {
    meaning: "A file that held resources has no content, as while an editor is writing it.",
    remedy: "Save the file again; to remove its resources, delete it or leave a comment line.",
  },
  MSM_FILE_TOO_MANY_RESOURCES: {
    meaning: "The files together hold more resources than the limit.",
    remedy: "Remove what is not needed or run a second control plane.",
  },
  MSM_YAML_SYNTAX: {
    meaning: "A file is not valid YAML.",
    remedy: "Correct the line named; indentation and a missing space after a colon are the usual causes.",
  },
  MSM_YAML_ALIASES: {
    meaning: "YAML aliases expand to too much.",
    remedy: "Write the values out instead of using `*alias`.",
  },
  MSM_RESOURCE_SHAPE: {
    meaning: "A YAML document is not a resource.",
    remedy: "Give it `apiVersion`, `kind`, `metadata` and `spec`.",
  },
  MSM_RESOURCE_KIND: {
    meaning: "The kind, or its API version, is not known.",
    remedy: "Use one of the kinds and versions listed in this page.",
  },
  MSM_RESOURCE_NAME: {
    meaning: "The name or namespace is missing or not a DNS name.",
    remedy: "Use lower-case letters, digits, `-` and `.`.",
  },
  MSM_RESOURCE_DUPLICATE: {
    meaning: "Two documents have the same kind, namespace and name.",
    remedy: "Rename or remove one of them.",
  },
  MSM_FIELD_UNKNOWN: {
    meaning: "A field does not exist.",
    remedy: "Correct its spelling or its indentation, or remove it.",
  },
  MSM_FIELD_MISSING: { meaning: "A required field is missing.", remedy: "Add it." },
  MSM_FIELD_TYPE: {
    meaning: "A field has the wrong type.",
    remedy: "Write the type named; quotes make a number a string.",
  },
  MSM_FIELD_VALUE: { meaning: "A field's value is not allowed.", remedy: "Use one of the values named." },
  MSM_FIELD_UNSUPPORTED: {
    meaning: "A field exists in the API but would not be honoured here.",
    remedy: "Remove it; the message says what to use instead.",
  },
  MSM_ANNOTATION_UNKNOWN: {
    meaning: "An annotation of ours does not exist.",
    remedy: "Correct its spelling or remove it.",
  },
  MSM_GATEWAY_CLASS_NOT_FOUND: {
    meaning: "A Gateway names a GatewayClass that does not exist.",
    remedy: "Add the GatewayClass or correct `spec.gatewayClassName`.",
  },
  MSM_GATEWAY_PROTOCOL: {
    meaning: "A Gateway listener's protocol is not served.",
    remedy: "Use `UDP`, or `RTP`, `RTSP` or `RTSPS` with `mediastreamingmesh.io/` before it.",
  },
  MSM_GATEWAY_ADDRESS: {
    meaning: "A Gateway address cannot be bound, or be told to clients.",
    remedy:
      "Use an IPv4 or IPv6 address of this machine, `0.0.0.0` or `::`; advertise one that clients reach.",
  },
  MSM_GATEWAY_LISTENER_DUPLICATE: {
    meaning: "Two listeners of one Gateway share a name, or a port of one transport.",
    remedy: "Give each its own.",
  },
  MSM_GATEWAY_PORT_CONFLICT: {
    meaning: "Listeners of two Gateways want the same address and port.",
    remedy: "Change one of the ports or bind them to different addresses.",
  },
  MSM_GATEWAY_TLS: {
    meaning: "TLS is asked for where it is not served, or is not said where it is.",
    remedy: "Give listeners of protocol `mediastreamingmesh.io/RTSPS`, and no others, `tls`.",
  },
  MSM_SECRET_KIND: {
    meaning: "A Gateway refers to something that holds no certificates.",
    remedy:
      "Refer to a Secret of type `kubernetes.io/tls`, or for clients' authorities to a ConfigMap with `ca.crt`.",
  },
  MSM_SECRET_NOT_FOUND: {
    meaning: "A Gateway's Secret or ConfigMap does not exist, or is refused itself.",
    remedy: "Add it, or correct it or the reference.",
  },
  MSM_SECRET_NOT_GRANTED: {
    meaning:
      "A Gateway refers to a Secret or ConfigMap of another namespace without that namespace's consent.",
    remedy: "Add a ReferenceGrant there, or move one of the two.",
  },
  MSM_SECRET_CERTIFICATE: {
    meaning: "What should be certificates cannot be read.",
    remedy: "Give PEM, the certificate of the listener first, those that signed it behind.",
  },
  MSM_SECRET_KEY: {
    meaning: "A private key cannot be read, or belongs to another certificate.",
    remedy: "Give the key of `tls.crt` as PEM, without a password.",
  },
  MSM_ROUTE_PARENT_NOT_FOUND: {
    meaning: "A route's parent Gateway, or the listener it names there, does not exist.",
    remedy: "Correct `parentRefs` or add the Gateway.",
  },
  MSM_ROUTE_NOT_ALLOWED: {
    meaning: "The listener does not take routes of this namespace or kind.",
    remedy: "Set the listener's `allowedRoutes` or move the route.",
  },
  MSM_ROUTE_CONFLICT: {
    meaning: "Another route already serves the listener, or for RTSP the same host and match.",
    remedy: "Name a listener with `sectionName`, or change or remove one of the routes.",
  },
  MSM_ROUTE_RULES: {
    meaning: "A UDPRoute has more than one rule: nothing says which one a datagram would take.",
    remedy: "Keep one rule.",
  },
  MSM_ROUTE_BACKEND_DUPLICATE: {
    meaning: "A rule names the same backend twice.",
    remedy: "Keep one reference and give it the sum of the weights.",
  },
  MSM_ROUTE_NO_BACKENDS: {
    meaning: "A rule has no backend with a weight above 0.",
    remedy: "Add a backend or raise a weight.",
  },
  MSM_ROUTE_BACKEND_KIND: {
    meaning: "A backend reference is neither to a Service nor to a Backend.",
    remedy: "Use `kind: Service`, or `group: mediastreamingmesh.io` with `kind: Backend`.",
  },
  MSM_ROUTE_BACKEND_NOT_FOUND: {
    meaning: "A route's Service or Backend does not exist.",
    remedy: "Add it or correct the reference.",
  },
  MSM_ROUTE_BACKEND_PORT: {
    meaning: "The Service has no such port for the route's transport, or no endpoint of the Backend has it.",
    remedy: "Name a port that the backend has: `protocol: UDP` for a UDPRoute, `TCP` for an RTSPRoute.",
  },
  MSM_ROUTE_METHOD: {
    meaning: "A method that begins no RTSP session is no criterion.",
    remedy: "Match DESCRIBE, SETUP or ANNOUNCE, or remove `method`.",
  },
  MSM_ROUTE_REGEX: {
    meaning: "A regular expression is none, or uses what RE2 leaves out.",
    remedy: "Correct it; look-around and references to groups do not exist.",
  },
  MSM_ROUTE_REWRITE: {
    meaning: "A rewrite of a prefix stands with a match that has none.",
    remedy: "Use `ReplaceFullPath`, or matches of type `PathPrefix`.",
  },
  MSM_ROUTE_NOT_GRANTED: {
    meaning: "A route refers to another namespace without that namespace's consent.",
    remedy: "Add a ReferenceGrant there or move the backend.",
  },
  MSM_ROUTE_POLICY_CONFLICT: {
    meaning:
      "The backends of a UDPRoute have different policies, or those of an RTSPRoute's rule other hashes.",
    remedy: "Give each of them the same policy: `spec.policy` of a Backend, or a ServicePolicy.",
  },
  MSM_ROUTE_POLICY_HASH: {
    meaning: "The policy of a backend hashes what sessions of the route's protocol do not have.",
    remedy:
      "Hash SourceAddress, or FirstDatagram for a UDPRoute, or a header, the URL or filter state for RTSP.",
  },
  MSM_POLICY_CONFLICT: {
    meaning: "The fields of a policy contradict each other, or one is missing that another one needs.",
    remedy: "Remove or add the field that is named.",
  },
  MSM_POLICY_TARGET_NOT_FOUND: {
    meaning: "A ServicePolicy targets a Service that does not exist.",
    remedy: "Add the Service or correct the name; it is in the policy's own namespace.",
  },
  MSM_POLICY_TARGET_TAKEN: {
    meaning: "A Service has another policy already.",
    remedy: "Keep one of the two.",
  },
  MSM_BACKEND_ADDRESS: {
    meaning: "A Backend endpoint does not have exactly one of an IP address and a hostname.",
    remedy: "Write an IPv4 or IPv6 address as `address`, or a DNS name as `hostname`.",
  },
  MSM_BACKEND_HOSTNAME: {
    meaning: "A Backend endpoint's hostname is not a DNS name.",
    remedy: "Write letters in lower case, digits and hyphens between dots, such as `cams.example.com`.",
  },
  MSM_BACKEND_DUPLICATE: {
    meaning: "A Backend lists an endpoint twice.",
    remedy: "Remove one; a repeated endpoint gives no extra weight.",
  },
  MSM_SLICE_SERVICE: {
    meaning: "An EndpointSlice does not say whose endpoints it holds.",
    remedy: "Set the label `kubernetes.io/service-name`.",
  },
  MSM_SLICE_ADDRESS: {
    meaning: "An EndpointSlice's address does not fit its address type.",
    remedy: "Use IPv4 or IPv6 addresses as `addressType` says; FQDN is not served.",
  },
  MSM_FILTER_SOURCE: {
    meaning: "A WasmFilter does not have exactly one of `builtin` and `file`.",
    remedy: "Keep the one you mean.",
  },
  MSM_FILTER_TARGET_NOT_FOUND: {
    meaning: "A WasmFilter targets a Gateway, listener or UDPRoute that does not exist.",
    remedy: "Correct `targetRefs`; targets are looked up in the filter's own namespace.",
  },
  MSM_FILTER_PROTOCOL: {
    meaning: "A WasmFilter that speaks a protocol targets no listener of that protocol.",
    remedy: "Target a Gateway with such a listener, `builtin: rtsp` one of protocol RTSP.",
  },
  MSM_FILTER_UNREADABLE: {
    meaning: "A filter's module file cannot be read.",
    remedy: "Check the path; it is relative to the YAML file.",
  },
  MSM_FILTER_TOO_LARGE: {
    meaning: "A filter's module is over 3 MiB.",
    remedy: "Build it with optimisation and without debug information.",
  },
  MSM_FILTER_NOT_WASM: {
    meaning: "A filter's file is not a WebAssembly module.",
    remedy: "Point `file` at the compiled `.wasm`.",
  },
  MSM_FILTER_DIGEST_MISMATCH: {
    meaning: "The module's SHA-256 is not the one written down.",
    remedy: "Correct `sha256`, or find out who changed the file.",
  },
  MSM_FILTER_ABI: {
    meaning: "A module lacks the exports `proxy_abi_version_0_2_1` and `msm_abi_version_0_1_0`.",
    remedy: "Build it with the filter SDK of this release.",
  },
  MSM_MESH_INCONSISTENT: {
    meaning: "The resources made from the configuration do not fit together: a defect of ours.",
    remedy: "Report it with your configuration; what ran before goes on running.",
  },
} as const satisfies Readonly<Record<string, RefusalCodeText>>;

/** The code of a refusal. */
export type RefusalCode = keyof typeof refusalCodes;
