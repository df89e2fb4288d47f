// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescService } from "@bufbuild/protobuf";
import type { Server, UntypedServiceImplementation } from "@grpc/grpc-js";
import { type ServiceHandlers, serviceDefinition } from "./service-definition.ts";

/** Adds a service to a @grpc/grpc-js server, whose own `addService` does not know the types of the handlers. */
export function addService<S extends DescService>(
  server: Server,
  service: S,
  handlers: ServiceHandlers<S>,
): void {
  server.addService(serviceDefinition(service), handlers as unknown as UntypedServiceImplementation);
}
