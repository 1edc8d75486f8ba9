import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const PROTO_FILES = globSync("satchel/v1/*.proto", { cwd: "proto" });

test("proto/ compiles by itself, and its validate.proto is the one of @bufbuild/protovalidate", () => {
  const directory = mkdtempSync(join(tmpdir(), "satchel-proto-"));
  try {
    cpSync("proto", directory, { recursive: true });
    writeFileSync(join(directory, "buf.yaml"), "version: v2\n");
    const image = execFileSync(
      resolve("node_modules/.bin/buf"),
      ["build", "--exclude-source-info", "--as-file-descriptor-set", "-o", "-"],
      { cwd: directory },
    );
    const { file } = fromBinary(FileDescriptorSetSchema, image);
    expect(file.map(({ name }) => name)).toEqual(expect.arrayContaining(PROTO_FILES));
    const compiled = file.find(({ name }) => name === file_buf_validate_validate.proto.name);
    const bytes = toBinary(FileDescriptorProtoSchema, compiled!);
    expect(Buffer.from(bytes).equals(toBinary(FileDescriptorProtoSchema, file_buf_validate_validate.proto))).toBe(true);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

interface Append {
  readonly messages: readonly { readonly id: string; readonly position?: string }[];
  readonly expected_version?: string;
}

test("proto/ is all that @grpc/proto-loader and @grpc/grpc-js need", async () => {
  const loaded = loadSync(PROTO_FILES, { includeDirs: ["proto"], keepCase: true, longs: String });
  const service = loaded["satchel.v1.StreamService"] as grpc.ServiceDefinition;
  const server = new grpc.Server();
  server.addService(service, {
    AppendMessages: (call: grpc.ServerUnaryCall<Append, Append>, done: grpc.sendUnaryData<Append>) => {
      const { messages, expected_version: position = "" } = call.request;
      done(null, { messages: messages.map(({ id }) => ({ id, position })) });
    },
  });
  const port = await promisify(server.bindAsync.bind(server))("127.0.0.1:0", grpc.ServerCredentials.createInsecure());
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  try {
    const request: Append = { messages: [{ id: "a" }], expected_version: "9007199254740993" };
    const { path, requestSerialize, responseDeserialize } = service["AppendMessages"]!;
    const response = await new Promise((done, fail) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, value) =>
        error ? fail(error) : done(value),
      );
    });
    expect(response).toMatchObject({ messages: [{ id: "a", position: "9007199254740993" }] });
  } finally {
    client.close();
    server.forceShutdown();
  }
});
