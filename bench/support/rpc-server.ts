/**
 * A server process whose handler of AppendMessages does nothing; bench/rpc.ts starts it with one of several adapters.
 *
 *   node bench/support/rpc-server.ts grpc-js|lean|connect [intercepted]
 *
 * At the start it sends `{ url }`. To every message "cpu" it replies with `{ cpuMicros }`, its CPU time so far.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import {
  type AppendMessagesRequest,
  AppendMessagesRequestSchema,
  AppendMessagesResponseSchema,
  StreamService,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { createLogger } from "../../src/kernel/log.ts";
import { Metrics } from "../../src/kernel/metrics.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { Principal } from "../../src/kernel/principal.ts";
import { accessInterceptor } from "../../src/kernel/rpc/interceptors/access.ts";
import { deadlineInterceptor } from "../../src/kernel/rpc/interceptors/deadline.ts";
import { errorsInterceptor } from "../../src/kernel/rpc/interceptors/errors.ts";
import { validateInterceptor } from "../../src/kernel/rpc/interceptors/validate.ts";
import { Readiness } from "../../src/kernel/transport/readiness.ts";
import { Server } from "../../src/kernel/transport/server.ts";

const HOST = "127.0.0.1";
const ANSWER = { messages: [{ id: "0190b2f4-7b7e-7c3a-9d6e-1f2a3b4c5d6e", position: 41n, globalPosition: 4711n }] };
const CALLER: Principal = { kind: "service", tokenId: "bench", namespaceId: "bench" as NamespaceId, role: "writer" };

const [way, intercepted] = process.argv.slice(2);
const url = way === "grpc-js" ? await serveGrpcJs() : await serveSatchel(way === "connect" ? "connect" : "lean");
process.on("message", () => process.send?.({ cpuMicros: cpuMicros() }));
process.on("disconnect", () => process.exit());
process.send?.({ url });

/** A minimal server of grpc-js: the same messages, no interceptors. Returns its URL. */
async function serveGrpcJs(): Promise<string> {
  const server = new grpc.Server();
  const definition: grpc.MethodDefinition<AppendMessagesRequest, typeof ANSWER> = {
    path: `/${StreamService.typeName}/AppendMessages`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (request) => Buffer.from(toBinary(AppendMessagesRequestSchema, request)),
    requestDeserialize: (bytes) => fromBinary(AppendMessagesRequestSchema, bytes),
    responseSerialize: (answer) =>
      Buffer.from(toBinary(AppendMessagesResponseSchema, create(AppendMessagesResponseSchema, answer))),
    responseDeserialize: () => ANSWER,
  };
  const handler: grpc.handleUnaryCall<AppendMessagesRequest, typeof ANSWER> = (_call, done) => done(null, ANSWER);
  server.addService({ appendMessages: definition }, { appendMessages: handler });
  const credentials = grpc.ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${HOST}:0`, credentials, (error, port) => (error === null ? resolve(port) : reject(error))),
  );
  return `http://${HOST}:${port}`;
}

/** Satchel's server, with metrics and request ids as in production. Returns its URL. */
async function serveSatchel(rpcAdapter: "lean" | "connect"): Promise<string> {
  const log = createLogger("warn");
  const readiness = new Readiness({ ping: () => Promise.resolve(), log });
  const server = new Server({
    host: HOST,
    port: 0,
    tls: undefined,
    limits: DEFAULT_LIMITS,
    corsOrigins: [],
    keepaliveMs: 60_000,
    maxConnectionAgeMs: 0,
    rpcAdapter,
    routes: (router: ConnectRouter) => router.service(StreamService, { appendMessages: () => ANSWER }),
    interceptors: intercepted === undefined ? [] : satchelInterceptors(),
    readiness,
    metrics: new Metrics(log),
    log,
  });
  await server.listen();
  return server.url;
}

/** The interceptors of every call, with a cached credential. */
function satchelInterceptors(): Interceptor[] {
  return [
    errorsInterceptor(() => undefined),
    deadlineInterceptor({ maxTimeoutMs: DEFAULT_LIMITS.maxTimeoutMs, shutdown: new AbortController().signal }),
    accessInterceptor({
      recheckMs: 1_000,
      limits: DEFAULT_LIMITS,
      methods: StreamService.methods,
      authenticate: () => Promise.resolve(CALLER),
    }),
    validateInterceptor([StreamService], DEFAULT_LIMITS),
  ];
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
