import {
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  constants,
  createServer,
} from "node:http2";
import type { Limits } from "../limits.ts";
import type { HttpRequest, HttpResponse } from "./types.ts";

export interface Http2Options {
  readonly limits: Limits;
  /** The time between pings. A connection whose last ping was not acknowledged when the next is due is closed. */
  readonly keepaliveMs: number;
  /** The age at which a client is asked to reconnect, with some jitter; 0: never. */
  readonly maxConnectionAgeMs: number;
  /** Gets every request first. Returns true when it runs the request. */
  readonly accept: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) => boolean;
  /** Gets all other requests. */
  readonly handle: (request: HttpRequest, response: HttpResponse) => void;
}

const MIB = 1024 * 1024;
/** How much a client may send before it is read. Smaller windows make uploads slow where the latency is high. */
const STREAM_WINDOW_BYTES = MIB;
const CONNECTION_WINDOW_BYTES = 4 * MIB;
/** Too large to be reached: node counts what was queued for a stream, and does not subtract it when that is cancelled. */
const MAX_SESSION_MEMORY_MB = 100_000;
/** Clients cancel followed reads by a reset. Only a flood of resets is an attack. */
const RESET_BURST = 10_000;
const RESETS_PER_SECOND = 1_000;
const MAX_HEADER_PAIRS = 256;
const SWEEP_MS = 1_000;
const AGE_JITTER = 0.1;
const GOAWAY_TIMEOUT_MS = 500;
/** Above the id of every stream: with this GOAWAY, streams that the client has opened meanwhile are still served. */
const LAST_STREAM_ID = 2 ** 31 - 1;

interface Connection {
  readonly retireAtMs: number;
  pingAtMs: number;
  pinging: boolean;
  /** Requests without a complete response. */
  open: number;
  /** `retiring`: the GOAWAY was sent, and may not have arrived; `retired`: no new request can come. */
  state: "serving" | "retiring" | "retired";
}

/** HTTP/2 on connections that the listener has accepted, with pings, a maximum age and a graceful end. */
export class Http2 {
  readonly #options: Http2Options;
  readonly #server: Http2Server;
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: Http2Options) {
    this.#options = options;
    const { limits } = options;
    this.#server = createServer({
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: limits.maxConcurrentStreams,
        maxHeaderListSize: limits.maxHeaderBytes,
        enablePush: false,
      },
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      streamResetBurst: RESET_BURST,
      streamResetRate: RESETS_PER_SECOND,
      maxHeaderListPairs: MAX_HEADER_PAIRS,
    });
    this.#server.on("session", (session) => this.#add(session));
    // A server without a handler of streams makes a request and a response of each: node's compatibility API.
    const compatible = createServer().on("request", options.handle);
    this.#server.on("stream", (stream, headers, flags, rawHeaders) => {
      this.#track(stream);
      if (!options.accept(stream, headers, rawHeaders)) compatible.emit("stream", stream, headers, flags, rawHeaders);
    });
    this.#sweeper = setInterval(() => this.#sweep(Date.now()), Math.min(SWEEP_MS, options.keepaliveMs)).unref();
  }

  /** Serves a connection from now on. */
  accept(socket: NodeJS.ReadWriteStream): void {
    this.#server.emit("connection", socket);
  }

  /** Sends a GOAWAY to every client. Each connection closes when its calls have ended. */
  drain(): void {
    for (const [session, connection] of this.#connections) retire(session, connection);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
  }

  #add(session: ServerHttp2Session): void {
    const { keepaliveMs, maxConnectionAgeMs } = this.#options;
    const now = Date.now();
    const age =
      maxConnectionAgeMs === 0
        ? Number.POSITIVE_INFINITY
        : maxConnectionAgeMs * (1 + AGE_JITTER * (2 * Math.random() - 1));
    this.#connections.set(session, {
      retireAtMs: now + age,
      pingAtMs: now + keepaliveMs,
      pinging: false,
      open: 0,
      state: "serving",
    });
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.once("close", () => this.#connections.delete(session));
  }

  #track(stream: ServerHttp2Stream): void {
    const session = stream.session as ServerHttp2Session | undefined;
    const connection = session && this.#connections.get(session);
    if (session === undefined || connection === undefined) return;
    connection.open += 1;
    stream.once("close", () => {
      connection.open -= 1;
      if (connection.state === "retired") closeIfIdle(session, connection);
    });
  }

  #sweep(now: number): void {
    for (const [session, connection] of this.#connections) {
      if (now >= connection.pingAtMs) this.#ping(session, connection, now);
      if (now >= connection.retireAtMs) retire(session, connection);
    }
  }

  #ping(session: ServerHttp2Session, connection: Connection, now: number): void {
    if (connection.pinging) {
      session.destroy();
      return;
    }
    connection.pinging = true;
    connection.pingAtMs = now + this.#options.keepaliveMs;
    ping(session, () => {
      connection.pinging = false;
    });
  }
}

/** Sends a GOAWAY, waits for the calls that the client sent before it arrived, then closes. */
function retire(session: ServerHttp2Session, connection: Connection): void {
  if (connection.state !== "serving" || session.destroyed) return;
  connection.state = "retiring";
  session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
  const retired = (): void => {
    clearTimeout(timer);
    connection.state = "retired";
    session.close();
    closeIfIdle(session, connection);
  };
  // A client in node without open calls does not acknowledge the ping after a GOAWAY.
  const timer = setTimeout(retired, GOAWAY_TIMEOUT_MS);
  ping(session, retired);
}

/** Node keeps a session that both sides have closed. Responses that were sent still reach the client. */
function closeIfIdle(session: Http2Session, connection: Connection): void {
  setImmediate(() => {
    if (connection.open === 0) session.destroy();
  });
}

/** Calls `done` when the ping was acknowledged, or cannot be any more. */
function ping(session: ServerHttp2Session, done: () => void): void {
  if (session.destroyed || !session.ping(done)) done();
}
