import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Client, type ClientConfig, type Pool } from "pg";
import type { NamespaceId } from "../../domain/namespace-id.ts";
import type { WakeUp } from "../dialect.ts";

/** One channel for everything: channel names are cut at 63 bytes, and a connection would have to know them all. */
const CHANNEL = "satchel_appended";
/** PostgreSQL refuses payloads from 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_500;
/** How long announcements are gathered: NOTIFY makes the commits of the whole database wait for each other. */
const GATHER_MS = 3;
const RECONNECT_MS = 500;
/** How often the connection that listens is asked for a sign of life. */
const CHECK_MS = 5_000;

interface Payload {
  /** Which process has sent it: its own followers know already. */
  readonly from: string;
  /** Topics by namespace; null = too many to tell. */
  readonly appended: Readonly<Record<string, readonly string[] | null>>;
}

/**
 * Tells other processes what was appended, never in the transaction of the append, many appends at a time. Whatever is lost
 * on the way is found by polling.
 */
export class Notifications implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #config: ClientConfig;
  readonly #self = randomUUID();
  readonly #stopped = new AbortController();
  readonly #gathered = new Map<NamespaceId, Set<string>>();
  #sending: Promise<void> | undefined;
  #listening: Promise<void> | undefined;

  constructor(pool: Pool, config: ClientConfig) {
    this.#pool = pool;
    this.#config = config;
  }

  /** Says that something has changed in these topics; soon, and without waiting for it. */
  announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void {
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
      for (const payload of payloads) await this.#pool.query("SELECT pg_notify($1, $2)", [CHANNEL, payload]);
    } catch {
      // The store is away; those who follow elsewhere poll.
    }
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
      wake();
      while (!this.#stopped.signal.aborted) {
        const alive = await Promise.race([
          ended.then(() => false),
          delay(CHECK_MS, true, { signal: this.#stopped.signal, ref: false }),
        ]);
        if (!alive) return;
        await client.query("SELECT 1");
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #hear(text: string, wake: WakeUp): void {
    const payload = parsePayload(text);
    if (payload === undefined) return wake();
    if (payload.from === this.#self) return;
    for (const [namespaceId, topics] of Object.entries(payload.appended)) {
      wake(namespaceId as NamespaceId, topics === null ? undefined : new Set(topics));
    }
  }
}

/** Undefined for what is none: whoever may connect to the database may notify, and so does another version of this. */
function parsePayload(text: string): Payload | undefined {
  try {
    const payload: unknown = JSON.parse(text);
    return isPayload(payload) ? payload : undefined;
  } catch {
    return undefined;
  }
}

function isPayload(value: unknown): value is Payload {
  if (!isRecord(value) || typeof value["from"] !== "string" || !isRecord(value["appended"])) return false;
  return Object.values(value["appended"]).every((topics) => topics === null || isTopics(topics));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTopics(value: unknown): boolean {
  return Array.isArray(value) && value.every((topic) => typeof topic === "string");
}

/** As many payloads as are needed for all namespaces; one whose topics do not fit is named without them. */
function payloadsOf(from: string, gathered: ReadonlyMap<NamespaceId, ReadonlySet<string>>): string[] {
  const payloads: string[] = [];
  let appended: Record<string, readonly string[] | null> = {};
  const payload = (): string => JSON.stringify({ from, appended });
  for (const [namespaceId, topics] of gathered) {
    const before = { ...appended };
    appended[namespaceId] = [...topics];
    if (Buffer.byteLength(payload()) <= MAX_PAYLOAD_BYTES) continue;
    if (Object.keys(before).length > 0) {
      const whole = appended[namespaceId];
      appended = before;
      payloads.push(payload());
      appended = { [namespaceId]: whole ?? null };
    }
    if (Buffer.byteLength(payload()) > MAX_PAYLOAD_BYTES) appended[namespaceId] = null;
  }
  if (Object.keys(appended).length > 0) payloads.push(payload());
  return payloads;
}
