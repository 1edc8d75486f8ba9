import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServerReflection, type ServerReflectionRequest } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";
import { transportFor } from "../support/transports.ts";

const run = promisify(execFile);
const BUF = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function bufCurl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(BUF, ["curl", "--http2-prior-knowledge", ...args]);
  return stdout;
}

describe.each(["grpc", "grpcweb", "connect"])("buf curl by %s", (protocol) => {
  describe.each(["grpc-v1", "grpc-v1alpha"])("and reflection %s", (version) => {
    const options = ["--protocol", protocol, "--reflect", "--reflect-protocol", version];

    test("lists services", async () => {
      expect((await bufCurl(...options, "--list-services", server.url)).trim().split("\n")).toEqual([
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "satchel.v1.ServerService",
        "satchel.v1.StreamService",
      ]);
    });

    test("lists methods", async () => {
      const methods = (await bufCurl(...options, "--list-methods", server.url)).trim().split("\n");
      expect(methods).toContain("satchel.v1.StreamService/ReadMessages");
      expect(methods).toContain("grpc.health.v1.Health/Watch");
    });

    test("calls without a schema of its own", async () => {
      const answer = await bufCurl(...options, "-d", "{}", `${server.url}/satchel.v1.ServerService/GetServerInfo`);
      expect(JSON.parse(answer)).toMatchObject({ version: "test" });
    });
  });
});

describe("a question", () => {
  const ask = async (messageRequest: ServerReflectionRequest["messageRequest"]) => {
    const reflection = createClient(ServerReflection, transportFor("grpc", { http: "2", baseUrl: server.url }));
    async function* questions() {
      yield { messageRequest };
    }
    for await (const { messageResponse } of reflection.serverReflectionInfo(questions())) return messageResponse;
    throw new Error("no answer");
  };
  const filesOf = async (messageRequest: ServerReflectionRequest["messageRequest"]): Promise<string[]> => {
    const answer = await ask(messageRequest);
    if (answer.case !== "fileDescriptorResponse") throw new Error(`answered ${answer.case}`);
    return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
  };

  test.each([
    "satchel.v1.StreamService",
    "satchel.v1.StreamService.ReadMessages",
    "satchel.v1.StreamMessage",
    "satchel.v1.StreamMessage.data",
    "satchel.v1.AppendMessagesRequest.expectation",
    ".satchel.v1.StreamMessage",
  ])("for the file of the symbol %s is answered with it and its imports", async (value) => {
    const files = await filesOf({ case: "fileContainingSymbol", value });
    expect(files[0]).toBe("satchel/v1/streams.proto");
    expect(files).toContain("google/protobuf/descriptor.proto");
    expect(new Set(files).size).toBe(files.length);
  });

  test("for an enum and its values", async () => {
    for (const value of ["satchel.options.v1.Role", "satchel.options.v1.ROLE_ADMIN", "satchel.options.v1.access"]) {
      expect((await filesOf({ case: "fileContainingSymbol", value }))[0]).toBe("satchel/options/v1/access.proto");
    }
  });

  test("for a file by its name", async () => {
    const value = "satchel/v1/server.proto";
    expect((await filesOf({ case: "fileByFilename", value }))[0]).toBe(value);
  });

  test("for extensions", async () => {
    const containingType = "google.protobuf.MethodOptions";
    const value = { $typeName: "grpc.reflection.v1.ExtensionRequest", containingType, extensionNumber: 50400 } as const;
    expect((await filesOf({ case: "fileContainingExtension", value }))[0]).toBe("satchel/options/v1/access.proto");
    const numbers = await ask({ case: "allExtensionNumbersOfType", value: containingType });
    expect(numbers.value).toMatchObject({
      baseTypeName: containingType,
      extensionNumber: expect.arrayContaining([50400]),
    });
    const none = await ask({ case: "allExtensionNumbersOfType", value: "satchel.v1.StreamMessage" });
    expect(none.value).toMatchObject({ extensionNumber: [] });
  });

  test.each([
    { case: "fileContainingSymbol", value: "satchel.v1.Nothing" },
    { case: "fileByFilename", value: "nothing.proto" },
    { case: "allExtensionNumbersOfType", value: "satchel.v1.Nothing" },
  ] as const)("for what is not there is NOT_FOUND: $case", async (question) => {
    expect(await ask(question)).toMatchObject({ case: "errorResponse", value: { errorCode: Code.NotFound } });
  });
});
