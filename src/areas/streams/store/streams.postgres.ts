import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Connections } from "../../../kernel/store/engines/postgres/connections.ts";
import { codeOf, SQLSTATE, translateNamespaceError, violates } from "../../../kernel/store/engines/postgres/errors.ts";
import type { Pipeline } from "../../../kernel/store/engines/postgres/pipeline.ts";
import { bigintOf } from "../../../kernel/store/engines/postgres/row.ts";
import { quotedSchema } from "../../../kernel/store/engines/postgres/schema-name.ts";
import type { Row, Statement } from "../../../kernel/store/engines/postgres/text-rows.ts";
import type { AppendOutcome, AppendRequest } from "../domain/append.ts";
import { positionOf } from "../domain/message-filter.ts";
import type { Page, PageQuery } from "../domain/message.ts";
import type { DeletionOutcome, StreamDeletion, Truncations } from "../domain/retention.ts";
import { appendAllText, BatchArrays } from "./append.postgres.ts";
import { safeHead } from "./heads.ts";
import { fullPageSize, packed } from "./page-row.postgres.ts";
import { pageCall } from "./page.postgres.sql.ts";
import { deleteStream, truncateStreams } from "./removal.postgres.ts";
import type { RunStatement } from "./run-statement.ts";
import { BUSY, type LockWait, type StreamEngine } from "./stream-engine.ts";

/** How often a batch is tried again when a writer that does not take our locks has got in its way. */
const MAX_ATTEMPTS = 4;

/** Concurrent writers read the clock in another order than they draw positions, and clocks are set back a little. */
const CLOCK_MARGIN_MICROS = 5_000_000n;

/** Appends, pages and removals of one namespace on PostgreSQL. */
export class PostgresStreams implements StreamEngine {
  /** One that is being committed, and the next, so that nothing has to be waited for in between. */
  readonly maxBatches = 2;
  readonly clockMarginMicros = CLOCK_MARGIN_MICROS;
  readonly #connections: Connections;
  readonly #id: NamespaceId;
  readonly #run: RunStatement;
  readonly #schema: string;
  #appends: Pipeline | undefined;

  constructor(connections: Connections, id: NamespaceId, run: RunStatement) {
    this.#connections = connections;
    this.#id = id;
    this.#run = run;
    this.#schema = quotedSchema(id);
  }

  async append(
    batch: readonly AppendRequest[],
    { lockTimeoutMs }: LockWait,
  ): Promise<readonly (AppendOutcome | typeof BUSY)[]> {
    const arrays = new BatchArrays(batch);
    const statement = { name: `${this.#schema}a`, text: appendAllText(this.#schema) };
    for (let attempt = 1; ; attempt++) {
      try {
        return arrays.outcomes(await this.#append(statement, arrays.parameters(lockTimeoutMs), lockTimeoutMs > 0));
      } catch (error) {
        if (codeOf(error) === SQLSTATE.lockNotAvailable) return batch.map(() => BUSY);
        if (attempt === MAX_ATTEMPTS || !isCollision(error)) throw translateNamespaceError(error, this.#id);
      }
    }
  }

  /** A statement that may wait for a lock must not hold up those after it, so it does not go through the pipeline. */
  #append(statement: Statement, values: readonly unknown[], mayWait: boolean): Promise<Row[]> {
    if (mayWait) return this.#connections.query(statement, values);
    this.#appends ??= this.#connections.pipeline();
    return this.#appends.query(statement, values);
  }

  async page(query: PageQuery, options: CallOptions): Promise<Page> {
    const { selector, backwards = false } = query;
    const unbounded = selector.kind === "all" && query.until === undefined && !backwards;
    const until = unbounded ? await safeHead(this.#run, options) : query.until;
    const { name, text } = pageCall(this.#schema, { ...query, until });
    const copy = { name, text: `COPY (SELECT * FROM ${text}) TO STDOUT (FORMAT binary)` };
    const rows = await this.#translated(() => this.#connections.copy(copy, options));
    const messages = rows.map(packed);
    const last = rows.at(-1);
    if (last === undefined || rows.length < fullPageSize(last)) return { messages, next: undefined };
    const next = positionOf(selector, messages.at(-1)!) + (backwards ? -1n : 1n);
    return { messages, next: next < 0n ? undefined : next };
  }

  truncate(category: string, truncations: Truncations, limit: number, options: CallOptions): Promise<number> {
    return truncateStreams((...query) => this.#query(...query, options), category, truncations, limit);
  }

  deleteStream(deletion: StreamDeletion, options: CallOptions): Promise<DeletionOutcome> {
    return deleteStream((...query) => this.#query(...query, options), deletion);
  }

  async storageBytes(options: CallOptions): Promise<bigint> {
    const size = (schema: string, table: string): string => `pg_total_relation_size('${schema}.${table}')`;
    const text = (schema: string): string => `SELECT ${size(schema, "messages")} + ${size(schema, "categories")}`;
    const [row] = await this.#query(text, [], options);
    return bigintOf(row?.[0]);
  }

  #query(text: (schema: string) => string, values: readonly unknown[], options: CallOptions): Promise<Row[]> {
    return this.#translated(() => this.#connections.query({ text: text(this.#schema) }, values, options));
  }

  async #translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translateNamespaceError(error, this.#id);
    }
  }
}

/**
 * Whether another attempt will see what got in the way: an id or a position taken meanwhile, or a statement that was to be
 * prepared by the batch before, which has failed at that.
 */
function isCollision(error: unknown): boolean {
  const code = codeOf(error);
  const passing: readonly (string | undefined)[] = [SQLSTATE.serializationFailure, SQLSTATE.invalidStatementName];
  return violates(error, "messages_id") || violates(error, "messages_stream") || passing.includes(code);
}
