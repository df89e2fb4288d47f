// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { ResourceId } from "../refusal.ts";
import { keyOf } from "../refusal.ts";
import type { SourceUpdate } from "../sources/source.ts";
import {
  backendYaml,
  classYaml,
  filterYaml,
  gatewayYaml,
  routeYaml,
  smallMesh,
  yamlFile,
} from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { ResourceStore, type StoreState } from "./resource-store.ts";

/** Applies texts one after the other and returns the last state. */
function applyAll(...texts: readonly string[]): StoreState {
  const store = new ResourceStore();
  const states = texts.map((text) => store.apply(readText(text)));
  return states.at(-1)!;
}

const codesOf = (state: StoreState): string[] => state.refusals.map(({ code }) => code);
const formOf = (state: StoreState, key: string) =>
  state.statuses.find(({ id }) => keyOf(id) === key)?.inForce ?? "absent";
const portsOf = (state: StoreState, name: string) =>
  state.mesh.Gateway.get(`Gateway/default/${name}`)?.listeners.map(({ port }) => port);
const endpointOf = (state: StoreState) =>
  state.mesh.Backend.get("Backend/default/viewer")?.endpoints[0]?.port;

test("keeps the last good form of a resource that is refused, and takes what else changed", () => {
  const broken = smallMesh.replace("port: 5004", "port: many").replace("port: 6004", "port: 7004");
  const state = applyAll(smallMesh, broken);
  expect(codesOf(state)).toEqual(["MSM_FIELD_TYPE"]);
  expect(formOf(state, "Gateway/default/camera")).toBe("previous");
  expect(portsOf(state, "camera")).toEqual([5004]);
  expect(endpointOf(state)).toBe(7004);
});

test("keeps the last good form through any number of bad ones", () => {
  const state = applyAll(smallMesh, ...Array(5).fill(smallMesh.replace("port: 5004", "port: 0")));
  expect(portsOf(state, "camera")).toEqual([5004]);
});

test("takes the repaired form", () => {
  const state = applyAll(smallMesh, smallMesh.replace("5004", "0"), smallMesh.replace("5004", "5014"));
  expect(state.refusals).toEqual([]);
  expect(portsOf(state, "camera")).toEqual([5014]);
});

test("keeps the very object of a resource that did not change", () => {
  const store = new ResourceStore();
  const before = store.apply(readText(smallMesh)).mesh.Backend.get("Backend/default/viewer");
  const after = store
    .apply(readText(`# moved by a line\n${smallMesh}`))
    .mesh.Backend.get("Backend/default/viewer");
  expect(after).toBe(before);
});

test("deletes what is deleted", () => {
  const state = applyAll(smallMesh, yamlFile(classYaml, gatewayYaml(), backendYaml()));
  expect(formOf(state, "UDPRoute/default/video")).toBe("absent");
  expect(state.mesh.UDPRoute.size).toBe(0);
});

test("leaves a route with a dangling backend in its previous form", () => {
  const wrong = yamlFile(classYaml, gatewayYaml(), backendYaml(), routeYaml({ backend: "vewer" }));
  const state = applyAll(smallMesh, wrong);
  expect(codesOf(state)).toEqual(["MSM_ROUTE_BACKEND_NOT_FOUND"]);
  expect(state.mesh.UDPRoute.get("UDPRoute/default/video")?.backends[0]?.name).toBe("viewer");
});

test("keeps a deleted backend as long as a route needs it, and says so", () => {
  const store = new ResourceStore();
  store.apply(readText(smallMesh));
  const during = store.apply(readText(yamlFile(classYaml, gatewayYaml(), routeYaml())));
  expect(codesOf(during)).toEqual(["MSM_ROUTE_BACKEND_NOT_FOUND"]);
  expect(endpointOf(during)).toBe(6004);
  expect(during.statuses.find(({ isDeleted }) => isDeleted)?.id.name).toBe("viewer");
  const after = store.apply(readText(yamlFile(classYaml, gatewayYaml())));
  expect(after.mesh.Backend.size).toBe(0);
});

test("keeps a backend as it was when its new form lacks the port that a route uses", () => {
  const withPort = yamlFile(classYaml, gatewayYaml(), `${routeYaml()}          port: 6004\n`);
  const state = applyAll(yamlFile(withPort, backendYaml()), yamlFile(withPort, backendYaml({ port: 7000 })));
  expect(codesOf(state)).toEqual(["MSM_ROUTE_BACKEND_PORT"]);
  expect(formOf(state, "UDPRoute/default/video")).toBe("newest");
  expect(formOf(state, "Backend/default/viewer")).toBe("previous");
  expect(endpointOf(state)).toBe(6004);
});

test("keeps what several need, deleted or changed, for all of them", () => {
  const two = yamlFile(
    classYaml,
    ...["one", "two"].flatMap((name, index) => [
      gatewayYaml({ name, port: 1000 + index }),
      `${routeYaml({ name, gateway: name })}          port: 6004\n`,
    ]),
  );
  const before = yamlFile(two, backendYaml());
  for (const state of [applyAll(before, two), applyAll(before, yamlFile(two, backendYaml({ port: 7000 })))]) {
    expect(state.mesh.UDPRoute.size).toBe(2);
    expect(endpointOf(state)).toBe(6004);
    expect(codesOf(state)).toHaveLength(2);
  }
});

test("keeps a deleted GatewayClass as long as Gateways name it", () => {
  const state = applyAll(smallMesh, yamlFile(gatewayYaml(), backendYaml(), routeYaml()));
  expect(codesOf(state)).toEqual(["MSM_GATEWAY_CLASS_NOT_FOUND"]);
  expect(portsOf(state, "camera")).toEqual([5004]);
});

test("takes a route out of force when its Gateway is deleted", () => {
  const state = applyAll(smallMesh, yamlFile(classYaml, backendYaml(), routeYaml()));
  expect(codesOf(state)).toEqual(["MSM_ROUTE_PARENT_NOT_FOUND"]);
  expect(state.mesh.UDPRoute.size).toBe(0);
});

test("refuses a newcomer that wants a port in use, wherever it stands in the file", () => {
  const second = gatewayYaml({ name: "another" });
  const state = applyAll(smallMesh, yamlFile(second, smallMesh));
  expect(codesOf(state)).toEqual(["MSM_GATEWAY_PORT_CONFLICT"]);
  expect(portsOf(state, "camera")).toEqual([5004]);
  expect(portsOf(state, "another")).toBeUndefined();
});

test("lets two Gateways exchange their ports in one change", () => {
  const pair = (first: number, second: number): string =>
    yamlFile(
      classYaml,
      gatewayYaml({ name: "one", port: first }),
      gatewayYaml({ name: "two", port: second }),
    );
  const state = applyAll(pair(1000, 2000), pair(2000, 1000));
  expect(state.refusals).toEqual([]);
  expect([portsOf(state, "one"), portsOf(state, "two")]).toEqual([[2000], [1000]]);
});

test("refuses whoever moves to the port of a Gateway whose own move is refused", () => {
  const before = yamlFile(
    classYaml,
    gatewayYaml({ name: "one", port: 1000 }),
    gatewayYaml({ name: "two", port: 2000 }),
  );
  const bad = gatewayYaml({ name: "two", port: 3000 }).replace("protocol:", "protcol:");
  const state = applyAll(before, yamlFile(classYaml, gatewayYaml({ name: "one", port: 2000 }), bad));
  expect(codesOf(state)).toContain("MSM_GATEWAY_PORT_CONFLICT");
  expect([portsOf(state, "one"), portsOf(state, "two")]).toEqual([[1000], [2000]]);
});

test("lets Gateways share a port on different addresses, but not with the unspecified one", () => {
  const at = (name: string, address: string): string =>
    `${gatewayYaml({ name })}  addresses: [{ value: "${address}" }]\n`;
  const state = applyAll(
    yamlFile(
      classYaml,
      at("a", "127.0.0.1"),
      at("b", "127.0.0.2"),
      at("c", "::1"),
      at("d", "0.0.0.0"),
      at("e", "::"),
    ),
  );
  expect(state.refusals.map(({ resource }) => resource?.name)).toEqual(["d", "e"]);
});

test("leaves the Gateways of another controller's class alone", () => {
  const foreign = classYaml.replace("mediastreamingmesh.io/gateway-controller", "example.com/other");
  const state = applyAll(yamlFile(foreign, gatewayYaml(), gatewayYaml({ name: "same-port" })));
  expect(state.refusals).toEqual([]);
});

test("honours a ReferenceGrant for a backend of another namespace", () => {
  const far = backendYaml().replace("name: viewer", "name: viewer\n  namespace: far");
  const route = `${routeYaml()}          namespace: far\n`;
  const grant = `apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: g, namespace: far }
spec:
  from: [{ group: gateway.networking.k8s.io, kind: UDPRoute, namespace: default }]
  to: [{ group: mediastreamingmesh.io, kind: Backend, name: viewer }]
`;
  expect(applyAll(yamlFile(classYaml, gatewayYaml(), far, route, grant)).refusals).toEqual([]);
  expect(codesOf(applyAll(yamlFile(classYaml, gatewayYaml(), far, route)))).toEqual([
    "MSM_ROUTE_NOT_GRANTED",
  ]);
});

test("says that it is incomplete while something refused has no earlier form", () => {
  expect(applyAll(smallMesh).isComplete).toBe(true);
  expect(applyAll(smallMesh.replace("port: 5004", "port: 0")).isComplete).toBe(false);
  expect(applyAll(smallMesh, smallMesh.replace("port: 5004", "port: 0")).isComplete).toBe(true);
});

test("lets the file that had a resource before keep it when another file repeats it", () => {
  const store = new ResourceStore();
  const from = (file: string, port: number): SourceUpdate["resources"] =>
    readText(backendYaml({ port })).resources.map((raw) => ({ ...raw, file }));
  const update = (...resources: SourceUpdate["resources"]): SourceUpdate => ({
    resources,
    refusals: [],
    isComplete: true,
  });
  store.apply(update(...from("b.yaml", 1)));
  const state = store.apply(update(...from("a.yaml", 2), ...from("b.yaml", 1)));
  expect(endpointOf(state)).toBe(1);
  expect(state.refusals.map(({ code, file }) => [code, file])).toEqual([
    ["MSM_RESOURCE_DUPLICATE", "a.yaml"],
  ]);
});

test("refuses a filter whose target is gone and keeps everything else", () => {
  const withFilter = yamlFile(smallMesh, filterYaml());
  const wrong = yamlFile(
    smallMesh,
    filterYaml().replace("name: camera", "name: camera\n      sectionName: sound"),
  );
  const state = applyAll(withFilter, wrong);
  expect(codesOf(state)).toEqual(["MSM_FILTER_TARGET_NOT_FOUND"]);
  expect(state.mesh.WasmFilter.get("WasmFilter/default/stats")?.targets[0]?.sectionName).toBeUndefined();
});

test("keys resources of every kind apart", () => {
  const id: ResourceId = { kind: "Backend", namespace: "a", name: "b" };
  expect(keyOf(id)).toBe("Backend/a/b");
  expect(keyOf({ kind: "GatewayClass", namespace: "", name: "b" })).toBe("GatewayClass/b");
});
