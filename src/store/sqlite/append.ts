import {
  type AppendedMessage,
  type AppendOutcome,
  type AppendRequest,
  meetsExpectation,
  type NewMessage,
  NO_STREAM,
  type StreamAppend,
} from "../../domain/append.ts";
import { cardinalHashOf } from "../../domain/consumer-group.ts";
import { correlationCategoryOf } from "../../domain/correlation.ts";
import { sameJson } from "../../domain/json-text.ts";
import { categoryOf, type StreamName } from "../../domain/stream-name.ts";
import { COUNT_IN_CATEGORY, INSERT_MESSAGE, LAST_TIME, MESSAGE_BY_ID, STREAM_VERSION } from "./append.sql.ts";
import { idToBlob } from "./message-row.ts";
import type { NamespaceDatabase } from "./namespace-database.ts";

/** Appends a batch, as StreamStore.append says, in one transaction. */
export function appendBatch(
  database: NamespaceDatabase,
  batch: readonly AppendRequest[],
  nowMicros: bigint,
): readonly AppendOutcome[] {
  return database.transact(() => {
    const writer = new BatchWriter(database, nowMicros);
    const outcomes = batch.map((request) => writer.append(request));
    writer.finish();
    return outcomes;
  });
}

interface MessageById {
  readonly streamName: string;
  readonly type: string;
  readonly data: string | null;
  readonly metadata: string | null;
  readonly position: bigint;
  readonly globalPosition: bigint;
}

interface CategoryTally {
  messages: bigint;
  streams: bigint;
  lastGlobalPosition: bigint;
}

/** Works inside a transaction. */
class BatchWriter {
  readonly #database: NamespaceDatabase;
  readonly #nowMicros: bigint;
  #timeMicros: bigint | undefined;
  readonly #versions = new Map<StreamName, bigint>();
  readonly #tallies = new Map<string, CategoryTally>();

  constructor(database: NamespaceDatabase, nowMicros: bigint) {
    this.#database = database;
    this.#nowMicros = nowMicros;
  }

  append({ appends }: AppendRequest): AppendOutcome {
    const found = appends.map(({ messages }) => messages.map((message) => this.#find(message)));
    const foreign = firstForeign(appends, found);
    const repeated =
      foreign === undefined && found.every((messages) => messages.every((message) => message !== undefined));
    if (!repeated) {
      const conflicts = appends
        .map(({ streamName, expectation }) => ({
          streamName,
          expected: expectation,
          actual: this.#version(streamName),
        }))
        .filter(({ expected, actual }) => !meetsExpectation(expected, actual));
      if (conflicts.length > 0) return { kind: "conflict", conflicts };
    }
    if (foreign !== undefined) return { kind: "id-exists", ...foreign };
    return { kind: "appended", appends: appends.map((append, index) => this.#write(append, found[index] ?? [])) };
  }

  /** Counts what was appended. */
  finish(): void {
    for (const [category, { messages, streams, lastGlobalPosition }] of this.#tallies) {
      this.#database.run(COUNT_IN_CATEGORY, category, messages, streams, lastGlobalPosition);
    }
  }

  #write({ streamName, messages }: StreamAppend, found: readonly (MessageById | undefined)[]): AppendedMessage[] {
    const category = categoryOf(streamName);
    const cardinalHash = cardinalHashOf(streamName);
    return messages.map((message, index) => {
      const { id, type, data, metadata } = message;
      const existing = found[index];
      if (existing !== undefined) {
        return { id, position: existing.position, globalPosition: existing.globalPosition, deduplicated: true };
      }
      const position = this.#version(streamName) + 1n;
      const globalPosition = this.#database.run(
        INSERT_MESSAGE,
        position,
        this.#time(),
        idToBlob(id),
        streamName,
        type,
        category,
        cardinalHash,
        correlationCategoryOf(metadata),
        Buffer.byteLength(data ?? "") + Buffer.byteLength(metadata ?? ""),
        data,
        metadata,
      );
      this.#versions.set(streamName, position);
      this.#tally(category, position, globalPosition);
      return { id, position, globalPosition, deduplicated: false };
    });
  }

  #find({ id }: NewMessage): MessageById | undefined {
    return this.#database.row<MessageById>(MESSAGE_BY_ID, idToBlob(id));
  }

  #version(streamName: StreamName): bigint {
    let version = this.#versions.get(streamName);
    if (version === undefined) {
      version = this.#database.row<{ readonly position: bigint }>(STREAM_VERSION, streamName)?.position ?? NO_STREAM;
      this.#versions.set(streamName, version);
    }
    return version;
  }

  /** The time of the batch: never before the last message's, whatever the clock says, so that time follows position. */
  #time(): bigint {
    if (this.#timeMicros === undefined) {
      const last = this.#database.row<{ readonly time: bigint }>(LAST_TIME)?.time ?? this.#nowMicros;
      this.#timeMicros = last > this.#nowMicros ? last : this.#nowMicros;
    }
    return this.#timeMicros;
  }

  #tally(category: string, position: bigint, globalPosition: bigint): void {
    const tally = this.#tallies.get(category) ?? { messages: 0n, streams: 0n, lastGlobalPosition: 0n };
    this.#tallies.set(category, tally);
    tally.messages++;
    if (position === 0n) tally.streams++;
    tally.lastGlobalPosition = globalPosition;
  }
}

/** The first message whose id is that of another one. */
function firstForeign(
  appends: readonly StreamAppend[],
  found: readonly (readonly (MessageById | undefined)[])[],
): { readonly appendIndex: number; readonly messageIndex: number } | undefined {
  for (const [appendIndex, { streamName, messages }] of appends.entries()) {
    for (const [messageIndex, message] of messages.entries()) {
      const existing = found[appendIndex]?.[messageIndex];
      if (existing === undefined) continue;
      if (existing.streamName !== streamName || !sameContent(existing, message)) return { appendIndex, messageIndex };
    }
  }
  return undefined;
}

function sameContent(a: MessageById, b: NewMessage): boolean {
  return a.type === b.type && sameJsonOrNone(a.data, b.data) && sameJsonOrNone(a.metadata, b.metadata);
}

function sameJsonOrNone(a: string | null, b: string | null): boolean {
  return a === null || b === null ? a === b : sameJson(a, b);
}
