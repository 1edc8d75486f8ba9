import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const directory = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const definition = loadSync(["satchel/v1/server.proto", "satchel/v1/streams.proto"], {
  includeDirs: [directory("proto"), directory("node_modules/google-gax/build/protos")],
  longs: String,
  keepCase: true,
  oneofs: true,
});

type Response = Readonly<Record<string, unknown>>;
type Call = Readonly<Record<string, unknown>>;
interface Unary {
  (
    request: Call,
    options: grpc.CallOptions,
    callback: (error: grpc.ServiceError | null, response?: Response) => void,
  ): grpc.ClientUnaryCall;
}
interface Stub extends grpc.Client {
  readonly GetServerInfo: Unary;
  readonly GetStreamVersion: Unary;
  readonly AppendMessages: Unary;
  readonly ReadMessages: (request: Call, options?: grpc.CallOptions) => grpc.ClientReadableStream<Response>;
}

describe("@grpc/grpc-js, from the .proto files", () => {
  let server: TestServer;
  let info: Stub;
  let streams: Stub;

  beforeAll(async () => {
    server = await startTestServer();
    info = stub("satchel.v1.ServerService", server.port);
    streams = stub("satchel.v1.StreamService", server.port);
  });
  afterAll(async () => {
    info.close();
    streams.close();
    await server[Symbol.asyncDispose]();
  });

  test("a unary call", async () => {
    const response = await unary((done) => info.GetServerInfo({}, {}, done));
    expect(response).toEqual({
      version: "test",
      engine: "none",
      limits: [{ name: "none", maximum: "9007199254740993", description: "Grüße" }],
    });
  });

  test("an error with its details", async () => {
    const error = await failure((done) => streams.GetStreamVersion({ stream_name: "Aborted" }, {}, done));
    expect(error.code).toBe(grpc.status.ABORTED);
    expect(error.details).toBe("as asked: Grüße");
    const status = fromBinary(StatusSchema, error.metadata.get("grpc-status-details-bin")[0] as Buffer);
    expect(status.details.map((detail) => anyUnpack(detail, ErrorInfoSchema))).toMatchObject([
      { reason: "TEST", domain: "satchel" },
    ]);
  });

  test("a deadline", async () => {
    const error = await failure((done) =>
      streams.AppendMessages({ messages: [{ type: "20000" }] }, { deadline: Date.now() + 100 }, done),
    );
    expect(error.code).toBe(grpc.status.DEADLINE_EXCEEDED);
  });

  test("a cancelled call", async () => {
    const error = await failure((done) => {
      const call = streams.AppendMessages({ messages: [{ type: "20000" }] }, {}, done);
      setTimeout(() => call.cancel(), 50);
    });
    expect(error.code).toBe(grpc.status.CANCELLED);
    await expect
      .poll(() => server.log.at(-1))
      .toMatchObject({ method: "satchel.v1.StreamService/AppendMessages", status: "CANCELLED" });
  });

  test("an unknown RPC and an unknown service are UNIMPLEMENTED", async () => {
    for (const path of ["/satchel.v1.StreamService/Nothing", "/satchel.v1.Nothing/Nothing"]) {
      const error = await failure((done) => {
        info.makeUnaryRequest(
          path,
          () => Buffer.alloc(0),
          () => ({}),
          {},
          done,
        );
      });
      expect(error.code).toBe(grpc.status.UNIMPLEMENTED);
    }
  });

  test("server streaming, whole", async () => {
    const frames = await collect(streams.ReadMessages({ stream_name: "10", limit: 3 }));
    expect(frames.map(({ frame }) => frame)).toEqual(["messages", "messages", "messages", "caught_up"]);
  });

  test("server streaming, cancelled: the handler is cleaned up after", async () => {
    const call = streams.ReadMessages({ stream_name: "100000" });
    const error = await new Promise<grpc.ServiceError>((resolve) => {
      call.once("data", () => call.cancel());
      call.once("error", (reason) => resolve(reason as grpc.ServiceError));
    });
    expect(error.code).toBe(grpc.status.CANCELLED);
    await expect.poll(() => server.streams.opened - server.streams.closed).toBe(0);
  });

  test("a compressed request and response", async () => {
    const compressed = stub("satchel.v1.StreamService", server.port, {
      "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
    });
    const frames = await collect(compressed.ReadMessages({ stream_name: "100000", limit: 2 }));
    expect(frames).toHaveLength(3);
    compressed.close();
  });
});

function stub(service: string, port: number, options: grpc.ClientOptions = {}): Stub {
  const Client = grpc.makeClientConstructor(definition[service] as grpc.ServiceDefinition, service);
  return new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options) as unknown as Stub;
}

type Done = (error: grpc.ServiceError | null, response?: Response) => void;

function unary(start: (done: Done) => unknown): Promise<Response | undefined> {
  return new Promise((resolve, reject) => {
    start((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

function failure(start: (done: Done) => unknown): Promise<grpc.ServiceError> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? reject(new Error("the call did not fail")) : resolve(error)));
  });
}

async function collect(call: grpc.ClientReadableStream<Response>): Promise<Response[]> {
  const all: Response[] = [];
  for await (const one of call) all.push(one as Response);
  return all;
}
