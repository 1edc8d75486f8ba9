import { sameJson } from "../../../kernel/json-text.ts";
import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import type { SqliteTransaction } from "../../../kernel/store/engines/sqlite/transaction.ts";
import {
  type AppendedMessage,
  type AppendOutcome,
  type AppendRequest,
  meetsExpectation,
  type NewMessage,
  type StreamAppend,
  type VersionConflict,
} from "../domain/append.ts";
import { correlationCategoryOf } from "../domain/correlation.ts";
import { cardinalHashOf } from "../domain/group-member.ts";
import { categoryOf, type StreamName } from "../domain/stream-name.ts";
import { COUNT_IN_CATEGORY, INSERT_MESSAGE, LAST_TIME, MESSAGE_BY_ID } from "./append.sqlite.sql.ts";
import { idToBlob } from "./message-row.sqlite.ts";
import { stateOf, type StreamState, visibleVersion } from "./stream-state.sqlite.ts";

/** Appends a batch, as StreamEngine.append says, in one transaction. */
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

/** Appends a batch as a part of a transaction. */
export function appendIn(
  transaction: SqliteTransaction,
  batch: readonly AppendRequest[],
): Promise<readonly AppendOutcome[]> {
  return transaction.write((database, nowMicros) => appendBatch(database, batch, nowMicros));
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

/** Appends the requests of a batch, inside a transaction. */
class BatchWriter {
  readonly #database: NamespaceDatabase;
  readonly #nowMicros: bigint;
  #timeMicros: bigint | undefined;
  readonly #states = new Map<StreamName, StreamState>();
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
      const streamNames = appends.map(({ streamName }) => streamName);
      const deleted = streamNames.filter((streamName) => this.#state(streamName).emptied === "tombstone");
      if (deleted.length > 0) return { kind: "stream-deleted", streamNames: deleted };
      const conflicts = appends.flatMap((append) => this.#conflicts(append));
      if (conflicts.length > 0) return { kind: "conflict", conflicts };
    }
    if (foreign !== undefined) return { kind: "id-exists", ...foreign };
    return { kind: "appended", appends: appends.map((append, index) => this.#write(append, found[index] ?? [])) };
  }

  /** Adds the appended messages to the counts of their categories. */
  finish(): void {
    for (const [category, { messages, streams, lastGlobalPosition }] of this.#tallies) {
      this.#database.run(COUNT_IN_CATEGORY, category, messages, streams, lastGlobalPosition);
    }
  }

  #conflicts({ streamName, expectation: expected }: StreamAppend): VersionConflict[] {
    const state = this.#state(streamName);
    const actual = visibleVersion(state);
    if (meetsExpectation(expected, actual)) return [];
    // A writer that does not know of a deletion may expect the last version of the stream.
    if (expected.kind === "version" && expected.version === state.version) return [];
    return [{ streamName, expected, actual }];
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
      const { version, hasMessages } = this.#state(streamName);
      const position = version + 1n;
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
      this.#states.set(streamName, { version: position, emptied: undefined, hasMessages: true });
      this.#tally(category, hasMessages, globalPosition);
      return { id, position, globalPosition, deduplicated: false };
    });
  }

  #find({ id }: NewMessage): MessageById | undefined {
    return this.#database.row<MessageById>(MESSAGE_BY_ID, idToBlob(id));
  }

  #state(streamName: StreamName): StreamState {
    let state = this.#states.get(streamName);
    if (state === undefined) {
      state = stateOf(this.#database, streamName);
      this.#states.set(streamName, state);
    }
    return state;
  }

  /** The time of the batch. Never before the time of the last message, whatever the clock says, so times ascend with positions. */
  #time(): bigint {
    if (this.#timeMicros === undefined) {
      const last = this.#database.row<{ readonly time: bigint }>(LAST_TIME)?.time ?? this.#nowMicros;
      this.#timeMicros = last > this.#nowMicros ? last : this.#nowMicros;
    }
    return this.#timeMicros;
  }

  #tally(category: string, streamHasMessages: boolean, globalPosition: bigint): void {
    const tally = this.#tallies.get(category) ?? { messages: 0n, streams: 0n, lastGlobalPosition: 0n };
    this.#tallies.set(category, tally);
    tally.messages++;
    if (!streamHasMessages) tally.streams++;
    tally.lastGlobalPosition = globalPosition;
  }
}

/** The first message whose id belongs to another message. */
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
