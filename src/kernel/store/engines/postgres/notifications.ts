import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Client, type ClientConfig, type Pool } from "pg";
import type { NamespaceId } from "../../../namespace-id.ts";
import type { WakeUp } from "../../wake-up.ts";
import { type Greeting, parsePayload, type Payload, payloadsOf } from "./notification-payload.ts";

/** One channel for everything: channel names are cut at 63 bytes, and a connection would have to know them all. */
const CHANNEL = "satchel_appended";
/** How long announcements are gathered: NOTIFY makes the commits of the whole database wait for each other. */
const GATHER_MS = 3;
const RECONNECT_MS = 500;

/** When a process counts as alone. */
export interface PeerTimes {
  /** How often the connection that listens gives a sign of life, to the others and to us. */
  readonly aliveMs: number;
  /** How long one that gives none is reckoned with. */
  readonly goneMs: number;
}

const PEER_TIMES: PeerTimes = { aliveMs: 5_000, goneMs: 20_000 };

/**
 * Tells other processes what was appended, never in the transaction of the append, many appends at a time. Whatever is lost
 * on the way is found by polling.
 *
 * A process that is alone tells nobody: notifications cost a commit each. Who begins to listen says so and is answered, so
 * all know of each other; the answer wakes it, for what was not told to it before.
 */
export class Notifications implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #config: ClientConfig;
  readonly #self = randomUUID();
  readonly #stopped = new AbortController();
  readonly #gathered = new Map<NamespaceId, Set<string>>();
  readonly #peerTimes: PeerTimes;
  #sending: Promise<void> | undefined;
  #listening: Promise<void> | undefined;
  /** Until when others are reckoned with; always, while they cannot be heard. */
  #aloneFromMs = Number.POSITIVE_INFINITY;

  constructor(pool: Pool, config: ClientConfig, peerTimes = PEER_TIMES) {
    this.#pool = pool;
    this.#config = config;
    this.#peerTimes = peerTimes;
  }

  /** Says that something has changed in these topics; soon, and without waiting for it. */
  announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void {
    if (performance.now() > this.#aloneFromMs) return;
    const gathered = this.#gathered.get(namespaceId) ?? new Set();
    this.#gathered.set(namespaceId, gathered);
    for (const topic of topics) gathered.add(topic);
    this.#sending ??= this.#send();
  }

  /** Hears what other processes announce, until disposed of. A lost connection is made again, and wakes everybody. */
  listen(wake: WakeUp): void {
    this.#listening ??= this.#keepListening(wake);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#sending;
    await this.#listening;
  }

  async #send(): Promise<void> {
    await delay(GATHER_MS);
    const payloads = payloadsOf(this.#self, this.#gathered);
    this.#gathered.clear();
    this.#sending = undefined;
    try {
      for (const payload of payloads) await notify(this.#pool, payload);
    } catch {
      // The store is away; those who follow elsewhere poll.
    }
  }

  async #greet(connection: Notifying, greeting: Greeting): Promise<void> {
    await notify(connection, JSON.stringify({ from: this.#self, greeting } satisfies Payload));
  }

  async #keepListening(wake: WakeUp): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#listenOnce(wake);
      } catch {
        // Tried again below.
      }
      await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Ends when the connection does. */
  async #listenOnce(wake: WakeUp): Promise<void> {
    const client = new Client({ ...this.#config, application_name: "satchel listen" });
    const ended = new Promise<void>((resolve) => client.once("end", resolve));
    client.on("error", () => undefined);
    client.on("notification", ({ payload }) => this.#hear(payload ?? "", wake));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.#reckonWithOthers();
      wake();
      await this.#greet(client, "hello");
      while (!this.#stopped.signal.aborted) {
        const alive = await Promise.race([
          ended.then(() => false),
          delay(this.#peerTimes.aliveMs, true, { signal: this.#stopped.signal, ref: false }),
        ]);
        if (!alive) return;
        await this.#greet(client, "alive");
      }
    } finally {
      this.#aloneFromMs = Number.POSITIVE_INFINITY;
      await client.end().catch(() => undefined);
    }
  }

  #hear(text: string, wake: WakeUp): void {
    const payload = parsePayload(text);
    if (payload === undefined) return wake();
    const { from, appended = {}, greeting } = payload;
    if (from === this.#self) return;
    this.#reckonWithOthers();
    // Where that fails, the other one polls.
    if (greeting === "hello") this.#greet(this.#pool, "answer").catch(() => undefined);
    if (greeting === "answer") wake();
    for (const [namespaceId, topics] of Object.entries(appended)) {
      wake(namespaceId as NamespaceId, topics === null ? undefined : new Set(topics));
    }
  }

  #reckonWithOthers(): void {
    this.#aloneFromMs = performance.now() + this.#peerTimes.goneMs;
  }
}

type Notifying = Pick<Pool | Client, "query">;

async function notify(connection: Notifying, payload: string): Promise<void> {
  await connection.query("SELECT pg_notify($1, $2)", [CHANNEL, payload]);
}
