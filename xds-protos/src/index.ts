// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
export { registry } from "../gen/descriptors.js";
export { addService } from "./add-service.ts";
export { packAny, unpackAny } from "./any.ts";
export { createClient, type ServiceClient } from "./create-client.ts";
export * from "./messages.ts";
export { type Serialized, type ServiceHandlers, serviceDefinition } from "./service-definition.ts";
export { typeUrlOf, typeUrls } from "./type-urls.ts";
export { validate } from "./validate/validate.ts";
export type { Violation } from "./validate/violation.ts";
