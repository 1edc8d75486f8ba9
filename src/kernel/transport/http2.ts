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
  /** Between pings; a client that has not answered when the next is due is hung up on. */
  readonly keepaliveMs: number;
  /** After which a client is asked to reconnect, a little earlier or later for each; 0 = never. */
  readonly maxConnectionAgeMs: number;
  /** Gets every request first; true when it takes it over. */
  readonly accept: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) => boolean;
  /** Gets all others. */
  readonly handle: (request: HttpRequest, response: HttpResponse) => void;
}

const MIB = 1024 * 1024;
/** What a client may send before it is read: without these, uploads over a long line crawl. */
const STREAM_WINDOW_BYTES = MIB;
const CONNECTION_WINDOW_BYTES = 4 * MIB;
/** Never the limit: node counts what was queued for cancelled streams and does not count it back. */
const MAX_SESSION_MEMORY_MB = 100_000;
/** Clients cancel tails; only a flood of it is an attack. */
const RESET_BURST = 10_000;
const RESETS_PER_SECOND = 1_000;
const MAX_HEADER_PAIRS = 256;
const SWEEP_MS = 1_000;
const AGE_JITTER = 0.1;
const FAREWELL_MS = 500;
/** Above every stream: "open no more", while those that are on their way are still served. */
const LAST_STREAM_ID = 2 ** 31 - 1;

interface Connection {
  readonly retireAtMs: number;
  pingAtMs: number;
  pinging: boolean;
  /** Requests that have no answer yet. */
  open: number;
  /** `retiring`: told to go, and maybe not knowing yet; `retired`: nothing new can come. */
  state: "serving" | "retiring" | "retired";
}

/** HTTP/2 on connections that are accepted elsewhere, with what node leaves to its users: pings, ages, farewells. */
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
    // Node's own way from a stream to a request and a response, which a server takes whose users do not.
    const compatible = createServer().on("request", options.handle);
    this.#server.on("stream", (stream, headers, flags, rawHeaders) => {
      this.#track(stream);
      if (!options.accept(stream, headers, rawHeaders)) compatible.emit("stream", stream, headers, flags, rawHeaders);
    });
    this.#sweeper = setInterval(() => this.#sweep(Date.now()), Math.min(SWEEP_MS, options.keepaliveMs)).unref();
  }

  /** Takes a connection over. */
  accept(socket: NodeJS.ReadWriteStream): void {
    this.#server.emit("connection", socket);
  }

  /** Asks every client to call elsewhere; each connection closes when its calls have ended. */
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

/** Says that no more calls are welcome, waits for those that were sent before the client knew, then closes. */
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
  // A client of node's that has no calls open stops answering when it hears the first farewell.
  const timer = setTimeout(retired, FAREWELL_MS);
  ping(session, retired);
}

/** Node itself would let a session that both sides have closed linger. What has been answered still reaches the client. */
function closeIfIdle(session: Http2Session, connection: Connection): void {
  setImmediate(() => {
    if (connection.open === 0) session.destroy();
  });
}

/** Calls `answered` when the other side has, or cannot any more. */
function ping(session: ServerHttp2Session, answered: () => void): void {
  if (session.destroyed || !session.ping(answered)) answered();
}
