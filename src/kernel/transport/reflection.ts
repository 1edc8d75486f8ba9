import { type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { ServerReflection, type ServerReflectionRequest } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflection as ServerReflectionAlpha,
  type ServerReflectionRequest as ServerReflectionRequestAlpha,
} from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../../gen/health/v1/health_pb.ts";

type Question = (ServerReflectionRequest | ServerReflectionRequestAlpha)["messageRequest"];
/** The answers of both versions, which differ in nothing but their package. */
type Answer =
  | { readonly case: "fileDescriptorResponse"; readonly value: { readonly fileDescriptorProto: Uint8Array[] } }
  | {
      readonly case: "allExtensionNumbersResponse";
      readonly value: { readonly baseTypeName: string; readonly extensionNumber: number[] };
    }
  | { readonly case: "listServicesResponse"; readonly value: { readonly service: { readonly name: string }[] } }
  | { readonly case: "errorResponse"; readonly value: { readonly errorCode: number; readonly errorMessage: string } };

/** grpc.reflection.v1 and v1alpha, from the descriptors in the generated code. */
export function reflectionRoutes(served: readonly DescService[]): (router: ConnectRouter) => void {
  const schema = new Schema([...served, Health, ServerReflection, ServerReflectionAlpha]);
  async function* answers<T extends ServerReflectionRequest | ServerReflectionRequestAlpha>(
    questions: AsyncIterable<T>,
  ) {
    for await (const question of questions) {
      yield {
        validHost: question.host,
        originalRequest: question,
        messageResponse: schema.answer(question.messageRequest),
      };
    }
  }
  return (router) => {
    router.service(ServerReflection, { serverReflectionInfo: answers<ServerReflectionRequest> });
    router.service(ServerReflectionAlpha, { serverReflectionInfo: answers<ServerReflectionRequestAlpha> });
  };
}

/** What can be asked about a set of services. */
class Schema {
  readonly #services: readonly string[];
  readonly #files = new Map<string, DescFile>();
  /** The file of everything that has a full name. */
  readonly #symbols = new Map<string, DescFile>();
  /** The files of a message's extensions, by their numbers. */
  readonly #extensions = new Map<string, Map<number, DescFile>>();
  readonly #messages = new Set<string>();

  constructor(services: readonly DescService[]) {
    this.#services = services.map(({ typeName }) => typeName).sort();
    for (const { file } of services) this.#add(file);
  }

  answer(question: Question): Answer {
    switch (question.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: this.#services.map((name) => ({ name })) } };
      case "fileByFilename":
        return found(this.#files.get(question.value), question.value);
      case "fileContainingSymbol":
        return found(this.#symbols.get(question.value.replace(/^\./, "")), question.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        return found(
          this.#extensions.get(containingType)?.get(extensionNumber),
          `extension ${extensionNumber} of ${containingType}`,
        );
      }
      case "allExtensionNumbersOfType":
        return this.#extensionNumbers(question.value);
      default:
        return failure(Code.InvalidArgument, "ask for something");
    }
  }

  #extensionNumbers(typeName: string): Answer {
    if (!this.#messages.has(typeName)) return failure(Code.NotFound, `not found: ${typeName}`);
    const extensionNumber = [...(this.#extensions.get(typeName)?.keys() ?? [])];
    return { case: "allExtensionNumbersResponse", value: { baseTypeName: typeName, extensionNumber } };
  }

  #add(file: DescFile): void {
    const { name } = file.proto;
    if (this.#files.has(name)) return;
    this.#files.set(name, file);
    for (const dependency of file.dependencies) this.#add(dependency);
    for (const type of nestedTypes(file)) {
      this.#symbols.set(type.typeName, file);
      if (type.kind === "message") this.#addMessage(type, file);
      if (type.kind === "service")
        for (const method of type.methods) this.#symbols.set(`${type.typeName}.${method.name}`, file);
      // The values of an enum are its siblings.
      if (type.kind === "enum")
        for (const value of type.values) this.#symbols.set(type.typeName.replace(/[^.]+$/, value.name), file);
      if (type.kind === "extension") {
        const numbers = this.#extensions.get(type.extendee.typeName) ?? new Map<number, DescFile>();
        this.#extensions.set(type.extendee.typeName, numbers.set(type.number, file));
      }
    }
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#messages.add(message.typeName);
    for (const { name } of [...message.fields, ...message.oneofs])
      this.#symbols.set(`${message.typeName}.${name}`, file);
  }
}

/** The file and everything it imports. */
function found(file: DescFile | undefined, what: string): Answer {
  if (file === undefined) return failure(Code.NotFound, `not found: ${what}`);
  const files = new Set([file]);
  for (const one of files) for (const dependency of one.dependencies) files.add(dependency);
  const fileDescriptorProto = [...files].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
