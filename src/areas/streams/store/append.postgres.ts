import {
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  uuidArray,
} from "../../../kernel/store/engines/postgres/binary-array.ts";
import type { Row } from "../../../kernel/store/engines/postgres/text-rows.ts";
import type { PostgresTransaction } from "../../../kernel/store/engines/postgres/transaction.ts";
import type {
  AppendedMessage,
  AppendOutcome,
  AppendRequest,
  Expectation,
  NewMessage,
  StreamAppend,
  VersionConflict,
} from "../domain/append.ts";
import { categoryOf } from "../domain/stream-name.ts";
import { BUSY } from "./stream-engine.ts";

/** Calls append_all() with BatchArrays.parameters(); migrations/0001-append-all.postgres.sql.ts documents the function. */
export function appendAllText(schema: string): string {
  return `SELECT kind, index, position, global_position, versions, global_positions
    FROM ${schema}.append_all($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;
}

/** How long a journal append waits for the lock of its category: as long as an ordinary unit of work may take. */
const JOURNAL_LOCK_TIMEOUT_MS = 10_000;

/** Appends a batch as a part of a transaction. */
export async function appendIn(
  transaction: PostgresTransaction,
  batch: readonly AppendRequest[],
): Promise<readonly (AppendOutcome | typeof BUSY)[]> {
  const arrays = new BatchArrays(batch);
  const rows = await transaction.write(appendAllText(transaction.schema), arrays.parameters(JOURNAL_LOCK_TIMEOUT_MS));
  return arrays.outcomes(rows);
}

const EXISTING_STREAM = -2n;

interface BatchAppend {
  readonly requestIndex: number;
  readonly appendIndex: number;
  readonly append: StreamAppend;
  readonly streamIndex: number;
}

interface BatchMessage {
  readonly message: NewMessage;
  readonly messageIndex: number;
  readonly appendOfBatch: BatchAppend;
  /** From 1, among the messages of its stream. */
  readonly ordinal: number;
}

/** A batch as the parallel arrays that append_all() takes, whose indexes count from 1. */
export class BatchArrays {
  readonly #batch: readonly AppendRequest[];
  readonly #categories = new Set<string>();
  readonly #streams = new Map<string, number>();
  readonly #appends: BatchAppend[] = [];
  readonly #messageAppends: number[] = [];
  readonly #messages: BatchMessage[] = [];

  constructor(batch: readonly AppendRequest[]) {
    this.#batch = batch;
    const lengths: number[] = [];
    for (const [requestIndex, request] of batch.entries()) {
      for (const [appendIndex, append] of request.appends.entries()) {
        const streamIndex = this.#streamIndex(append.streamName);
        const appendOfBatch = { requestIndex, appendIndex, append, streamIndex };
        const appendNumber = this.#appends.push(appendOfBatch);
        let ordinal = lengths[streamIndex] ?? 0;
        for (const [messageIndex, message] of append.messages.entries()) {
          this.#messages.push({ message, messageIndex, appendOfBatch, ordinal: ++ordinal });
          this.#messageAppends.push(appendNumber);
        }
        lengths[streamIndex] = ordinal;
      }
    }
  }

  /** The parameters, in order. */
  parameters(lockTimeoutMs: number): unknown[] {
    return [
      lockTimeoutMs,
      textArray([...this.#categories]),
      textArray([...this.#streams.keys()]),
      int4Array(this.#appends.map(({ requestIndex }) => requestIndex + 1)),
      int4Array(this.#appends.map(({ streamIndex }) => streamIndex + 1)),
      int8Array(this.#appends.map(({ append }) => expectationNumber(append.expectation))),
      int4Array(this.#messageAppends),
      int4Array(this.#messages.map(({ ordinal }) => ordinal)),
      uuidArray(this.#messages.map(({ message }) => message.id)),
      textArray(this.#messages.map(({ message }) => message.type)),
      jsonbArray(this.#messages.map(({ message }) => message.data)),
      jsonbArray(this.#messages.map(({ message }) => message.metadata)),
    ];
  }

  /** The outcome of each request, from the rows of append_all(). */
  outcomes(rows: readonly Row[]): (AppendOutcome | typeof BUSY)[] {
    const [first] = rows;
    if (first?.[0] === "a") return this.#allStored(bigintsOf(first[4]), bigintsOf(first[5]));
    const answers = this.#batch.map((request) => new Answer(request));
    for (const [kind, indexText, position, globalPosition] of rows) {
      const index = Number(indexText) - 1;
      if (kind === "m" || kind === "d" || kind === "i") {
        const { appendOfBatch, messageIndex } = known(this.#messages[index]);
        const { requestIndex, appendIndex } = appendOfBatch;
        const answer = known(answers[requestIndex]);
        if (kind === "i") answer.idExists(appendIndex, messageIndex);
        else
          answer.stored(appendIndex, messageIndex, BigInt(position ?? ""), BigInt(globalPosition ?? ""), kind === "d");
      } else {
        const { requestIndex, append } = known(this.#appends[index]);
        const answer = known(answers[requestIndex]);
        if (kind === "c") answer.conflict(append, BigInt(position ?? ""));
        else if (kind === "t") answer.streamDeleted(append);
        else answer.busy();
      }
    }
    return answers.map((answer) => answer.outcome());
  }

  #streamIndex(streamName: string): number {
    const known = this.#streams.get(streamName);
    if (known !== undefined) return known;
    this.#categories.add(categoryOf(streamName));
    this.#streams.set(streamName, this.#streams.size);
    return this.#streams.size - 1;
  }

  #allStored(versions: readonly bigint[], globalPositions: readonly bigint[]): AppendOutcome[] {
    const outcomes = this.#batch.map(({ appends }) => appends.map((): AppendedMessage[] => []));
    for (const [index, { message, appendOfBatch, ordinal }] of this.#messages.entries()) {
      const { requestIndex, appendIndex, streamIndex } = appendOfBatch;
      known(outcomes[requestIndex]?.[appendIndex]).push({
        id: message.id,
        position: known(versions[streamIndex]) + BigInt(ordinal),
        globalPosition: known(globalPositions[index]),
        deduplicated: false,
      });
    }
    return outcomes.map((appends) => ({ kind: "appended", appends }));
  }
}

/** Collects the rows of one request. */
class Answer {
  readonly #request: AppendRequest;
  readonly #appends: AppendedMessage[][];
  readonly #actualVersions = new Map<StreamAppend, bigint>();
  readonly #deleted = new Set<StreamAppend>();
  #refusal: AppendOutcome | typeof BUSY | undefined;

  constructor(request: AppendRequest) {
    this.#request = request;
    this.#appends = request.appends.map(() => []);
  }

  stored(
    appendIndex: number,
    messageIndex: number,
    position: bigint,
    globalPosition: bigint,
    deduplicated: boolean,
  ): void {
    const { id } = known(known(this.#request.appends[appendIndex]).messages[messageIndex]);
    known(this.#appends[appendIndex])[messageIndex] = { id, position, globalPosition, deduplicated };
  }

  conflict(append: StreamAppend, actual: bigint): void {
    this.#actualVersions.set(append, actual);
  }

  streamDeleted(append: StreamAppend): void {
    this.#deleted.add(append);
  }

  idExists(appendIndex: number, messageIndex: number): void {
    this.#refusal ??= { kind: "id-exists", appendIndex, messageIndex };
  }

  busy(): void {
    this.#refusal = BUSY;
  }

  outcome(): AppendOutcome | typeof BUSY {
    if (this.#deleted.size > 0) {
      const deleted = this.#request.appends.filter((append) => this.#deleted.has(append));
      return { kind: "stream-deleted", streamNames: deleted.map(({ streamName }) => streamName) };
    }
    if (this.#actualVersions.size > 0) return { kind: "conflict", conflicts: this.#conflicts() };
    return this.#refusal ?? { kind: "appended", appends: this.#appends };
  }

  /** In the order of the request. */
  #conflicts(): VersionConflict[] {
    return this.#request.appends.flatMap((append) => {
      const actual = this.#actualVersions.get(append);
      return actual === undefined ? [] : [{ streamName: append.streamName, expected: append.expectation, actual }];
    });
  }
}

function expectationNumber(expectation: Expectation): bigint | null {
  switch (expectation.kind) {
    case "any":
      return null;
    case "exists":
      return EXISTING_STREAM;
    case "version":
      return expectation.version;
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("append_all() has answered for something that it was not asked");
  return value;
}

/** The numbers of an array of bigint, from PostgreSQL's text. */
function bigintsOf(array: string | null | undefined): bigint[] {
  return (array ?? "{}").slice(1, -1).split(",").map(BigInt);
}
