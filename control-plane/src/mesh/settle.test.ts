// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { keyOf } from "../refusal.ts";
import { backendYaml, classYaml, gatewayYaml, routeYaml, yamlFile } from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { checkFilters } from "./check-filters.ts";
import { checkGateways } from "./check-gateways.ts";
import { checkRoutes } from "./check-routes.ts";
import { ResourceStore } from "./resource-store.ts";

const index = fc.integer({ min: 0, max: 2 });
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.option(value, { freq: 3 });
const three = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
  fc.array(value, { minLength: 3, maxLength: 3 });

/** Three Gateways, routes and backends, each there or not, that want the same few ports and refer to each other. */
const meshText = fc
  .record({
    hasClass: fc.boolean(),
    gateways: three(maybe(fc.integer({ min: 1, max: 4 }))),
    routes: three(
      maybe(fc.record({ gateway: index, backend: index, port: maybe(fc.integer({ min: 1, max: 2 })) })),
    ),
    backends: three(maybe(fc.integer({ min: 1, max: 2 }))),
  })
  .map(({ hasClass, gateways, routes, backends }) =>
    yamlFile(
      "# A mesh.\n",
      ...(hasClass ? [classYaml] : []),
      ...gateways.flatMap((port, name) => (port === null ? [] : [gatewayYaml({ name: `g${name}`, port })])),
      ...routes.flatMap((route, name) => {
        if (route === null) return [];
        const text = routeYaml({
          name: `r${name}`,
          gateway: `g${route.gateway}`,
          backend: `b${route.backend}`,
        });
        return [route.port === null ? text : `${text}          port: ${route.port}\n`];
      }),
      ...backends.flatMap((port, name) => (port === null ? [] : [backendYaml({ name: `b${name}`, port })])),
    ),
  );

test("whatever changes, what is in force fits together and nobody who is still written is driven out", () => {
  fc.assert(
    fc.property(fc.array(meshText, { maxLength: 6 }), (texts) => {
      const store = new ResourceStore();
      let before = new Set<string>();
      for (const text of texts) {
        const { mesh, statuses } = store.apply(readText(text));
        expect([checkGateways, checkRoutes, checkFilters].flatMap((check) => check(mesh))).toEqual([]);
        const inForce = new Set<string>();
        for (const { id, inForce: form, refusals } of statuses) {
          const lostItsGateway = refusals.some(({ code }) => code === "MSM_ROUTE_PARENT_NOT_FOUND");
          if (form !== "none") inForce.add(keyOf(id));
          else if (!lostItsGateway) expect(before).not.toContain(keyOf(id));
        }
        before = inForce;
      }
    }),
    { numRuns: 300 },
  );
});

test("a mesh in which everything fits is in force in its newest form, whatever was before", () => {
  const good = yamlFile(
    classYaml,
    ...[0, 1, 2].flatMap((name) => [
      gatewayYaml({ name: `g${name}`, port: 7 + name }),
      backendYaml({ name: `b${name}`, port: 1 }),
      routeYaml({ name: `r${name}`, gateway: `g${name}`, backend: `b${name}` }),
    ]),
  );
  fc.assert(
    fc.property(fc.array(meshText, { maxLength: 4 }), (texts) => {
      const store = new ResourceStore();
      for (const text of texts) store.apply(readText(text));
      const { refusals, statuses } = store.apply(readText(good));
      expect(refusals).toEqual([]);
      expect(statuses.filter(({ inForce }) => inForce !== "newest")).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
