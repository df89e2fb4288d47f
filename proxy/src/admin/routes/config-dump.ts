// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { ConfigDumpSchema } from "@msm/xds-protos/envoy/admin/v3/config_dump_pb.js";
import { configDumpSections } from "../config-dump.ts";
import { protoJson } from "../proto-json.ts";
import { type AdminRoute, BadRequest } from "../route.ts";
import { selectResource } from "../select-resource.ts";

/** The configuration in force, in Envoy's format. */
export const route: AdminRoute = {
  path: "/config_dump",
  method: "GET",
  summary:
    "The configuration as JSON; ?include_eds adds endpoints, ?resource=dynamic_listeners gives one list.",
  handle: ({ query, context }) => {
    for (const parameter of ["mask", "name_regex"]) {
      if (query.has(parameter)) throw new BadRequest(`?${parameter} is not supported; use ?resource=`);
    }
    const resource = query.get("resource");
    const includeEndpoints = query.has("include_eds") || resource?.includes("endpoint") === true;
    const sections = configDumpSections(context, includeEndpoints);
    const configs = resource === null ? sections : selectResource(sections, resource);
    if (configs === undefined) {
      return { status: 404, body: `${resource} not found in config dump\n` };
    }
    return protoJson(ConfigDumpSchema, create(ConfigDumpSchema, { configs: [...configs] }));
  },
};
