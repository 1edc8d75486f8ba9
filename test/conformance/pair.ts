import type { Interceptor } from "@connectrpc/connect";
import { type ClientHttp2Session } from "node:http2";
import { http2Session } from "../support/raw.ts";
import { type TestServer, type TestServerOptions, startTestServer } from "../support/test-server.ts";
import { type RawAnswer, type RawRequest, exchange } from "./exchange.ts";
import { type Ending, type Seen, scriptedRoutes } from "./routes.ts";

/** What became of a request: for its caller, for its handler, and for the log. */
export interface Outcome {
  readonly answer: RawAnswer;
  readonly seen: Seen | undefined;
  readonly logged: Readonly<Record<string, unknown>> | undefined;
}

/** The same services on both adapters. */
export interface Pair extends AsyncDisposable {
  readonly lean: Side;
  readonly connect: Side;
}

export interface Side {
  readonly server: TestServer;
  /** How the handlers of streams ended, by request id. */
  readonly endings: ReadonlyMap<string, Ending>;
  /** Sends a request that is known by this id. */
  readonly send: (id: string, request: RawRequest) => Promise<Outcome>;
}

const LOGGED = ["method", "protocol", "status", "reason"];

export async function startPair(options: TestServerOptions, interceptors: () => Interceptor[]): Promise<Pair> {
  const [lean, connect] = await Promise.all([
    startSide({ ...options, rpcAdapter: "lean", interceptors: interceptors() }),
    startSide({ ...options, rpcAdapter: "connect", interceptors: interceptors() }),
  ]);
  return {
    lean,
    connect,
    async [Symbol.asyncDispose]() {
      await Promise.all([lean, connect].map(({ server }) => server[Symbol.asyncDispose]()));
    },
  };
}

async function startSide(options: TestServerOptions): Promise<Side> {
  const seen = new Map<string, Seen>();
  const endings = new Map<string, Ending>();
  const server = await startTestServer({ ...options, routes: (router) => scriptedRoutes(router, seen, endings) });
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) session = http2Session(server.url);
    return session;
  };
  return {
    server,
    endings,
    async send(id, request) {
      const headers = { ":authority": "satchel.test", "x-request-id": id, ...request.headers };
      const answer = await exchange(open(), { ...request, headers });
      return { answer, seen: seen.get(id), logged: await logged(server, id) };
    },
  };
}

/** The line of a call, once it is over; undefined when the request was none. */
async function logged(server: TestServer, id: string): Promise<Outcome["logged"]> {
  for (let waitedMs = 0; waitedMs < 50; waitedMs += 5) {
    const line = server.log.findLast(({ requestId, msg }) => requestId === id && msg === "call");
    if (line !== undefined) return Object.fromEntries(LOGGED.map((name) => [name, line[name]]));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return undefined;
}
