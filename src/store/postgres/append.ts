import type {
  AppendedMessage,
  AppendOutcome,
  AppendRequest,
  Expectation,
  StreamAppend,
  VersionConflict,
} from "../../domain/append.ts";
import { BUSY } from "../dialect.ts";
import type { Row } from "./connections.ts";

/** The name and the parameters of append_batch(), which documents them. */
export function appendBatchText(schema: string): string {
  return `SELECT kind, index, position, global_position FROM ${schema}.append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;
}

const EXISTING_STREAM = -2n;

/** A batch as the parallel arrays that append_batch() takes. */
export class BatchArrays {
  readonly #batch: readonly AppendRequest[];
  readonly #streams = new Map<string, number>();
  readonly #appends: { readonly requestIndex: number; readonly appendIndex: number; readonly append: StreamAppend }[] =
    [];
  readonly #messages: {
    readonly appendNumber: number;
    readonly messageIndex: number;
    readonly append: StreamAppend;
  }[] = [];

  constructor(batch: readonly AppendRequest[]) {
    this.#batch = batch;
    for (const [requestIndex, request] of batch.entries()) {
      for (const [appendIndex, append] of request.appends.entries()) {
        const { streamName } = append;
        if (!this.#streams.has(streamName)) this.#streams.set(streamName, this.#streams.size + 1);
        const appendNumber = this.#appends.push({ requestIndex, appendIndex, append });
        for (const messageIndex of append.messages.keys()) this.#messages.push({ appendNumber, messageIndex, append });
      }
    }
  }

  /** The parameters, in order. */
  parameters(lockTimeoutMs: number): unknown[] {
    const messages = this.#messages.map(({ append, messageIndex }) => append.messages[messageIndex]);
    return [
      lockTimeoutMs,
      [...this.#streams.keys()],
      this.#appends.map(({ requestIndex }) => requestIndex + 1),
      this.#appends.map(({ append }) => this.#streams.get(append.streamName)),
      this.#appends.map(({ append }) => expectationNumber(append.expectation)),
      this.#messages.map(({ appendNumber }) => appendNumber),
      messages.map((message) => message?.id),
      messages.map((message) => message?.type),
      messages.map((message) => message?.data ?? null),
      messages.map((message) => message?.metadata ?? null),
    ];
  }

  /** What the rows of append_batch() say of each request. */
  outcomes(rows: readonly Row[]): (AppendOutcome | typeof BUSY)[] {
    const answers = this.#batch.map((request) => new Answer(request));
    for (const [kind, indexText, position, globalPosition] of rows) {
      const index = Number(indexText) - 1;
      if (kind === "m" || kind === "d" || kind === "i") {
        const message = known(this.#messages[index]);
        const { requestIndex, appendIndex } = known(this.#appends[message.appendNumber - 1]);
        const answer = known(answers[requestIndex]);
        if (kind === "i") answer.idExists(appendIndex, message.messageIndex);
        else
          answer.stored(
            appendIndex,
            message.messageIndex,
            BigInt(position ?? ""),
            BigInt(globalPosition ?? ""),
            kind === "d",
          );
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
  if (value === undefined) throw new Error("append_batch() has answered for something that it was not asked");
  return value;
}
