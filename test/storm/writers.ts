import { Code, ConnectError } from "@connectrpc/connect";
import { setTimeout as delay } from "node:timers/promises";
import { newUuid } from "../../src/kernel/uuid.ts";
import type { Append } from "./history.ts";
import type { Random } from "./random.ts";
import type { Recorder } from "./recorder.ts";
import type { Line, StormNamespace } from "./site.ts";

export const CATEGORIES = ["red", "green", "blue", "grey"] as const;
export const IDS = ["1", "2", "3+x", "3+y", "4"] as const;
export const TYPES = ["Happened", "Changed", "Ended"] as const;
export const ORIGIN = "origin";

/** What a writer is given. */
export interface WriterOptions {
  readonly name: string;
  readonly namespace: StormNamespace;
  readonly replicas: number;
  readonly rounds: number;
  readonly random: Random;
  readonly recorder: Recorder;
}

interface NewMessage {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

interface StreamAppend {
  readonly streamName: string;
  readonly messages: readonly NewMessage[];
}

const MAX_PADDING = 2_000;
/** Nobody is at this version. */
const IMPOSSIBLE_VERSION = 999_999n;

/** Appends as callers do who lose patience: what they have not heard of they repeat, at any replica, or give up. */
export async function write({ name, namespace, replicas, rounds, random, recorder }: WriterOptions): Promise<void> {
  const lines = Array.from({ length: replicas }, (_, replica) => namespace.connect(replica));
  try {
    for (let round = 0; round < rounds; round++) {
      const appends = newAppends(random);
      const record = recorder.append(
        name,
        appends.flatMap(({ messages }) => messages.map(({ id }) => id)),
      );
      await appendOnce({ lines, appends, random, recorder, record });
      if (random.chance(0.3)) await delay(random.integer(0, 20));
    }
  } finally {
    for (const line of lines) line[Symbol.dispose]();
  }
}

/** Writes as a Message DB client does: some transactions are long, some are rolled back. */
export async function writeBySql({ name, namespace, rounds, random, recorder }: WriterOptions): Promise<void> {
  const sql = await namespace.sql();
  try {
    for (let round = 0; round < rounds; round++) {
      const { streamName, messages } = newAppend(random, streamOf(random));
      const record = recorder.append(
        name,
        messages.map(({ id }) => id),
      );
      const places = [];
      await sql.query("BEGIN");
      for (const { id, type, data, metadata } of messages) {
        const { rows } = await sql.query<{ position: string }>("SELECT write_message($1, $2, $3, $4, $5) AS position", [
          id,
          streamName,
          type,
          data,
          metadata,
        ]);
        places.push({ id, position: BigInt(rows[0]?.position ?? -1), globalPosition: undefined });
        await delay(random.integer(0, 10));
      }
      const rollsBack = random.chance(0.2);
      await sql.query(rollsBack ? "ROLLBACK" : "COMMIT");
      if (rollsBack) record.outcome = { kind: "refused" };
      else recorder.acknowledge(record, places);
    }
  } finally {
    await sql.end();
  }
}

interface Attempt {
  readonly lines: readonly Line[];
  readonly appends: readonly StreamAppend[];
  readonly random: Random;
  readonly recorder: Recorder;
  readonly record: Append;
}

async function appendOnce({ lines, appends, random, recorder, record }: Attempt): Promise<void> {
  const expectation = { case: "expectedVersion", value: IMPOSSIBLE_VERSION } as const;
  const [first, ...others] = appends.map(({ streamName, messages }) => ({ streamName, messages: [...messages] }));
  const requests = [{ ...first, ...(random.chance(0.1) ? { expectation } : {}) }, ...others];
  for (;;) {
    const { streams } = random.pick(lines);
    const impatient = new AbortController();
    const timer = random.chance(0.1) ? setTimeout(() => impatient.abort(), random.integer(0, 8)) : undefined;
    try {
      const { signal } = impatient;
      const placed =
        requests.length === 1
          ? (await streams.appendMessages(requests[0]!, { signal })).messages
          : (await streams.appendToStreams({ appends: requests }, { signal })).appends.flatMap((one) => one.messages);
      recorder.acknowledge(record, placed);
      return;
    } catch (error) {
      const { code } = ConnectError.from(error);
      if (code === Code.Aborted && !impatient.signal.aborted) record.outcome = { kind: "refused" };
      else if (code !== Code.Canceled) throw error;
      if (code === Code.Aborted || random.chance(0.3)) return;
    } finally {
      clearTimeout(timer);
    }
  }
}

function newAppends(random: Random): StreamAppend[] {
  const names = new Set([streamOf(random)]);
  if (random.chance(0.2)) for (let more = random.integer(1, 2); more > 0; more--) names.add(streamOf(random));
  return [...names].map((streamName) => newAppend(random, streamName));
}

function newAppend(random: Random, streamName: string): StreamAppend {
  const messages = Array.from({ length: random.integer(1, 4) }, () => ({
    id: newUuid(),
    type: random.pick(TYPES),
    data: JSON.stringify({ padding: "x".repeat(random.integer(0, MAX_PADDING)) }),
    metadata: random.chance(0.5) ? JSON.stringify({ correlationStreamName: `${ORIGIN}-1` }) : "{}",
  }));
  return { streamName, messages };
}

function streamOf(random: Random): string {
  return `${random.pick(CATEGORIES)}-${random.pick(IDS)}`;
}
