// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { credentials } from "@grpc/grpc-js";
import { create, createClient, fromBinary, typeUrls } from "@msm/xds-protos";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { AggregatedDiscoveryService } from "@msm/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";

type Fields = Partial<Omit<DeltaDiscoveryRequest, "$typeName" | "$unknown">>;

/** A hand-written delta ADS client: subscribes as asked, answers every response, remembers what it holds. */
export class DeltaClient {
  readonly responses: DeltaDiscoveryResponse[] = [];
  /** Versions by `type url` and name. */
  readonly held = new Map<string, Map<string, string>>();
  /** Ports of the first endpoint by cluster. */
  readonly ports = new Map<string, number>();
  endedWith: { readonly code: number; readonly details: string } | undefined;
  /** What to refuse a response with; undefined accepts it. */
  judge: (response: DeltaDiscoveryResponse) => string | undefined = () => undefined;
  answers = true;
  readonly #node: { readonly id: string; readonly userAgentName: string };
  readonly #client;
  readonly #call;
  #isFirst = true;

  constructor(address: string, nodeId = "proxy-1", userAgentName = "msm-proxy") {
    this.#node = { id: nodeId, userAgentName };
    this.#client = createClient(AggregatedDiscoveryService, address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": 4 * 1024 * 1024,
    });
    this.#call = this.#client.deltaAggregatedResources();
    this.#call.on("data", (response: DeltaDiscoveryResponse) => this.#receive(response));
    this.#call.on("error", () => {});
    this.#call.on("status", ({ code, details }) => {
      this.endedWith = { code, details };
    });
  }

  /** Sends a request; the first one carries the node. */
  send(fields: Fields): void {
    const node = this.#isFirst ? { node: this.#node } : {};
    this.#call.write(create(DeltaDiscoveryRequestSchema, { ...node, ...fields }));
    this.#isFirst = false;
  }

  /** Asks for everything that a proxy asks for first. */
  subscribe(): void {
    this.send({ typeUrl: typeUrls.cluster });
    this.send({ typeUrl: typeUrls.listener });
  }

  names(typeUrl: string): string[] {
    return [...(this.held.get(typeUrl)?.keys() ?? [])].sort();
  }

  close(): void {
    this.#call.end();
    this.#client.close();
  }

  #receive(response: DeltaDiscoveryResponse): void {
    this.responses.push(response);
    const { typeUrl, nonce, resources, removedResources } = response;
    const problem = this.judge(response);
    const errorDetail = problem === undefined ? {} : { errorDetail: { code: 3, message: problem } };
    if (this.answers) this.send({ typeUrl, responseNonce: nonce, ...errorDetail } as Fields);
    if (problem !== undefined) return;
    const held = this.held.get(typeUrl) ?? new Map<string, string>();
    this.held.set(typeUrl, held);
    for (const { name, version, resource } of resources) {
      held.set(name, version);
      if (typeUrl !== typeUrls.clusterLoadAssignment) continue;
      const assignment = fromBinary(ClusterLoadAssignmentSchema, resource!.value);
      const host = assignment.endpoints[0]?.lbEndpoints[0]?.hostIdentifier;
      const address = host?.case === "endpoint" ? host.value.address?.address : undefined;
      if (address?.case !== "socketAddress" || address.value.portSpecifier.case !== "portValue") continue;
      this.ports.set(name, address.value.portSpecifier.value);
    }
    for (const name of removedResources) held.delete(name);
  }
}
