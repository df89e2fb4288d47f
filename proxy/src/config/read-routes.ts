// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@msm/xds-protos/envoy/config/route/v3/route_components_pb.js";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import type { RoutePlan, RouteTablePlan, VirtualHostPlan } from "../routes/route-plan.ts";
import { readRouteAction } from "./read-route-action.ts";
import { readRouteMatch } from "./read-route-match.ts";
import { at, type FieldRule, onlyFalse, refuse, refuseOthers } from "./refuse.ts";

/** A name with a port, or with one `*` at its beginning or its end. */
const DOMAIN = /^(?:\*|\*?[^*]+|[^*]+\*)$/;

/** What is said of each field of `RouteConfiguration`; any other is refused. */
export const routeConfigurationRules: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  virtual_hosts: "accepted",
  // A route to a cluster that there is not answers 503, and is well once the cluster comes.
  validate_clusters: onlyFalse,
  metadata: "accepted",
};

/** The same of `VirtualHost`. */
export const virtualHostRules: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  domains: "accepted",
  routes: "accepted",
  metadata: "accepted",
};

/** The same of `Route`. */
export const routeRules: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  match: "accepted",
  route: "accepted",
  direct_response: "accepted",
  metadata: "accepted",
};

/** Reads the routes of signalling listeners. Pure. Throws a `ConfigError` on whatever would not be honoured. */
export function readRoutes(routes: RouteConfiguration, path: string): RouteTablePlan {
  refuseOthers(RouteConfigurationSchema, routes, path, routeConfigurationRules);
  const hosts = routes.virtualHosts.map((host, i) => readHost(host, `${at(path, "virtual_hosts")}[${i}]`));
  checkDomains(hosts, at(path, "virtual_hosts"));
  return { name: routes.name, hosts };
}

/** The clusters that routes name. */
export function clustersOf({ hosts }: RouteTablePlan): ReadonlySet<string> {
  const actions = hosts.flatMap(({ routes }) => routes.map(({ action }) => action));
  return new Set(
    actions.flatMap((action) => (action.kind === "forward" ? action.clusters.map(({ name }) => name) : [])),
  );
}

function readHost(host: VirtualHost, path: string): VirtualHostPlan {
  refuseOthers(VirtualHostSchema, host, path, virtualHostRules);
  const { name, domains, routes } = host;
  return {
    name,
    domains: domains.map((domain, i) => {
      if (DOMAIN.test(domain)) return domain.toLowerCase();
      const problem = `"${domain}" may have one *, at its beginning or its end`;
      return refuse("MSM_ROUTE_DOMAIN", `${at(path, "domains")}[${i}]`, problem);
    }),
    routes: routes.map((route, i) => readRoute(route, `${at(path, "routes")}[${i}]`)),
  };
}

function readRoute(route: Route, path: string): RoutePlan {
  refuseOthers(RouteSchema, route, path, routeRules);
  const action = readRouteAction(route, path);
  return { name: route.name, ...readRouteMatch(route.match, at(path, "match")), action };
}

function checkDomains(hosts: readonly VirtualHostPlan[], path: string): void {
  const holders = new Map<string, string>();
  hosts.forEach(({ name, domains }, i) => {
    for (const domain of domains) {
      const holder = holders.get(domain);
      if (holder !== undefined) {
        const problem = `"${domain}" is a domain of virtual host "${holder}" already; each has one place`;
        refuse("MSM_ROUTE_DOMAIN", `${path}[${i}].domains`, problem);
      }
      holders.set(domain, name);
    }
  });
}
