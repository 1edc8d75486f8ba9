import { Code, ConnectError, type ConnectRouter, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { ServerService } from "../../src/gen/satchel/v1/server_pb.ts";
import { type ReadMessagesRequest, StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { type Limits } from "../../src/kernel/limits.ts";
import { createLogger } from "../../src/kernel/log.ts";
import { Metrics } from "../../src/kernel/metrics.ts";
import { Readiness } from "../../src/kernel/transport/readiness.ts";
import { Server, type ServerOptions } from "../../src/kernel/transport/server.ts";

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface TestServerOptions extends Partial<Omit<ServerOptions, "limits">> {
  readonly limits?: Partial<Limits>;
  /** Whether the store answers. */
  readonly ping?: () => Promise<void>;
}

/** The transport alone, with services whose behaviour the caller of a test asks for. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  readonly readiness: Readiness;
  readonly log: LogLine[];
  /** Ends what waits for it, in `slow` and in the streams. */
  readonly shutdown: AbortController;
  /** How many streams of `readMessages` have been cleaned up after. */
  readonly streams: { opened: number; closed: number };
}

/** Starts it on a free port of 127.0.0.1. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const log: LogLine[] = [];
  const logger = createLogger("debug", { write: (line) => void log.push(JSON.parse(line)) });
  const readiness = new Readiness({
    ping: options.ping ?? (() => Promise.resolve()),
    log: logger,
    intervalMs: 20,
    timeoutMs: 200,
  });
  const streams = { opened: 0, closed: 0 };
  const shutdown = new AbortController();
  const server = new Server({
    host: "127.0.0.1",
    port: 0,
    tls: undefined,
    corsOrigins: [],
    keepaliveMs: 60_000,
    maxConnectionAgeMs: 0,
    rpcAdapter: process.env["SATCHEL_TEST_RPC_ADAPTER"] === "connect" ? "connect" : "lean",
    routes: (router) => testRoutes(router, streams, shutdown.signal),
    interceptors: [] satisfies Interceptor[],
    readiness,
    metrics: new Metrics(logger),
    log: logger,
    ...options,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  });
  await readiness.start();
  await server.listen();
  return {
    url: server.url,
    port: Number(new URL(server.url).port),
    server,
    readiness,
    log,
    shutdown,
    streams,
    async [Symbol.asyncDispose]() {
      readiness[Symbol.dispose]();
      shutdown.abort();
      await server.close(100);
    },
  };
}

/**
 * - GetServerInfo answers.
 * - AppendMessages answers after as many milliseconds as the first message's `type` says.
 * - GetStreamVersion fails as the stream's name says, with an ErrorInfo.
 * - ReadMessages sends `limit` frames, or frames without end; each has one message with `stream_name` bytes of data,
 *   and comes at once or, for the category "slow", never after the first.
 */
function testRoutes(router: ConnectRouter, streams: { opened: number; closed: number }, shutdown: AbortSignal): void {
  router.service(ServerService, {
    getServerInfo: () => ({
      version: "test",
      engine: "none",
      limits: [{ name: "none", maximum: 9007199254740993n, description: "Grüße" }],
    }),
  });
  router.service(StreamService, {
    async appendMessages({ messages }, { signal }) {
      await sleep(Number(messages[0]?.type ?? 0), signal);
      return { messages: [{ id: "1", position: 0n, globalPosition: 1n, deduplicated: false }] };
    },
    getStreamVersion({ streamName }) {
      if (streamName === "fault") throw new Error("a secret of the server");
      const code = Code[streamName as keyof typeof Code];
      if (code === undefined) return {};
      throw new ConnectError("as asked: Grüße", code, undefined, [
        { desc: ErrorInfoSchema, value: { reason: "TEST", domain: "satchel", metadata: { streamName } } },
      ]);
    },
    async *readMessages(request: ReadMessagesRequest, { signal }: HandlerContext) {
      streams.opened += 1;
      try {
        for (let sent = 0n; request.limit === 0n || sent < request.limit; sent += 1n) {
          if (shutdown.aborted) throw new ConnectError("the server is shutting down", Code.Unavailable);
          const data = request.selector.case === "streamName" ? "x".repeat(Number(request.selector.value)) : "{}";
          yield {
            frame: {
              case: "messages" as const,
              value: { messages: [{ id: "1", position: sent, data }], cursor: String(sent) },
            },
          };
          if (request.selector.case === "category") await sleep(60_000, signal, shutdown);
        }
        yield { frame: { case: "caughtUp" as const, value: { cursor: "end" } } };
      } finally {
        streams.closed += 1;
      }
    },
  });
}

function sleep(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    for (const signal of signals) signal.addEventListener("abort", done);
    function done(): void {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
