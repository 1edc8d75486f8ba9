import { type Http2Server, type ServerHttp2Session, constants, createServer } from "node:http2";
import type { Limits } from "../../domain/limits.ts";
import type { HttpRequest, HttpResponse } from "./types.ts";

export interface Http2Options {
  readonly limits: Limits;
  /** Between pings; a client that has not answered when the next is due is hung up on. */
  readonly keepaliveMs: number;
  /** After which a client is asked to reconnect, a little earlier or later for each; 0 = never. */
  readonly maxConnectionAgeMs: number;
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
/** Above every stream: "open no more", while those that are on their way are still served. */
const LAST_STREAM_ID = 2 ** 31 - 1;

interface Connection {
  readonly retireAtMs: number;
  pingAtMs: number;
  pinging: boolean;
  retired: boolean;
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
    this.#server.on("request", (request, response) => options.handle(request, response));
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
      retired: false,
    });
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.once("close", () => this.#connections.delete(session));
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
  if (connection.retired || session.destroyed) return;
  connection.retired = true;
  session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
  ping(session, () => session.close());
}

/** Calls `answered` when the other side has, or cannot any more. */
function ping(session: ServerHttp2Session, answered: () => void): void {
  if (session.destroyed || !session.ping(answered)) answered();
}
