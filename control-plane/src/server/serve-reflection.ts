// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import {
  create,
  type DescFile,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  registry,
  toBinary,
} from "@msm/xds-protos";
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "@msm/xds-protos/grpc/reflection/v1/reflection_pb.js";

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;
type Call = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse | Uint8Array>;

/**
 * gRPC's server reflection: which services there are, and the files that describe them with all that those import.
 * `requestSchema` is that of v1 or of v1alpha: they have the same wire form, so that one handler serves both.
 */
export function serveReflection(
  services: readonly string[],
  requestSchema: DescMessage,
): { serverReflectionInfo(call: Call): void } {
  return {
    serverReflectionInfo(call) {
      call.on("data", (received: Message) => {
        const request = fromBinary(ServerReflectionRequestSchema, toBinary(requestSchema, received));
        const messageResponse = answer(request, services);
        const fields = { validHost: request.host, originalRequest: request, messageResponse };
        call.write(toBinary(ServerReflectionResponseSchema, create(ServerReflectionResponseSchema, fields)));
      });
      call.on("end", () => call.end());
      call.on("error", () => {});
    },
  };
}

function answer({ messageRequest: asked }: ServerReflectionRequest, services: readonly string[]): Answer {
  switch (asked.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: services.map((name) => ({ name })) } };
    case "fileByFilename":
      return files(allFiles().get(asked.value), asked.value);
    case "fileContainingSymbol":
      return files(fileOfSymbol(asked.value), asked.value);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      const extendee = registry.getMessage(containingType);
      const extension = extendee && registry.getExtensionFor(extendee, extensionNumber);
      return files(extension?.file, `${containingType} ${extensionNumber}`);
    }
    case "allExtensionNumbersOfType":
      return extensionNumbers(asked.value);
    default:
      return failure(status.INVALID_ARGUMENT, "message_request is not set");
  }
}

function files(file: DescFile | undefined, what: string): Answer {
  if (file === undefined) return failure(status.NOT_FOUND, `there is no ${what}`);
  const found = new Map<string, DescFile>();
  collect(file, found);
  const fileDescriptorProto = [...found.values()].map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto),
  );
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function collect(file: DescFile, found: Map<string, DescFile>): void {
  if (found.has(file.proto.name)) return;
  found.set(file.proto.name, file);
  for (const dependency of file.dependencies) collect(dependency, found);
}

// A symbol may be a method or a field: then what it belongs to is described.
function fileOfSymbol(symbol: string): DescFile | undefined {
  const type = registry.get(symbol);
  if (type !== undefined) return type.file;
  const parent = symbol.slice(0, Math.max(symbol.lastIndexOf("."), 0));
  return registry.get(parent)?.file;
}

function extensionNumbers(typeName: string): Answer {
  if (registry.getMessage(typeName) === undefined)
    return failure(status.NOT_FOUND, `there is no ${typeName}`);
  const extensionNumber = [...registry].flatMap((type) =>
    type.kind === "extension" && type.extendee.typeName === typeName ? [type.number] : [],
  );
  return { case: "allExtensionNumbersResponse", value: { baseTypeName: typeName, extensionNumber } };
}

let filesByName: ReadonlyMap<string, DescFile> | undefined;

function allFiles(): ReadonlyMap<string, DescFile> {
  if (filesByName !== undefined) return filesByName;
  const found = new Map<string, DescFile>();
  for (const { file } of registry) collect(file, found);
  filesByName = found;
  return found;
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
