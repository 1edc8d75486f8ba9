import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Connections } from "../../../kernel/store/engines/postgres/connections.ts";
import type { BinaryRow } from "../../../kernel/store/engines/postgres/copy-out.ts";
import { codeOf, SQLSTATE, translateNamespaceError, violates } from "../../../kernel/store/engines/postgres/errors.ts";
import type { Pipeline } from "../../../kernel/store/engines/postgres/pipeline.ts";
import { bigintOf, MESSAGE_COLUMNS, messageOf, textOf } from "../../../kernel/store/engines/postgres/row.ts";
import { quotedSchema } from "../../../kernel/store/engines/postgres/schema-name.ts";
import type { Row, Statement } from "../../../kernel/store/engines/postgres/text-rows.ts";
import type { AppendOutcome, AppendRequest } from "../domain/append.ts";
import type {
  CategorySummary,
  NamesQuery,
  NamespaceStatistics,
  Page,
  PageQuery,
  Selector,
  StoredMessage,
  StreamSummary,
  StreamsQuery,
} from "../domain/message.ts";
import { afterPrefix, commonPrefix } from "../domain/prefix.ts";
import { positionOf } from "../domain/selection.ts";
import type { StreamName } from "../domain/stream-name.ts";
import { appendAllText, BatchArrays } from "./append.postgres.ts";
import { firstAt } from "./first-at.ts";
import { headOfCategoryText, headOfStreamText } from "./head.postgres.sql.ts";
import { categoriesText, streamsText } from "./names.postgres.sql.ts";
import { fullPageSize, packed } from "./page-row.postgres.ts";
import { atText, firstAtStatement, pageCall } from "./page.postgres.sql.ts";
import { BUSY, type LockWait, type Progress, type StreamStore } from "./stream-store.ts";

/** How often a batch is tried again when a writer that does not take our locks has got in its way. */
const MAX_ATTEMPTS = 4;

/**
 * Concurrent writers read the clock in another order than they draw positions, and clocks are set back a little: from this
 * long before the time that is searched, every message is looked at.
 */
const CLOCK_MARGIN_MICROS = 5_000_000n;

/** The streams of one namespace on PostgreSQL. */
export class PostgresStreamStore implements StreamStore {
  /** One that is being made, and the next, so that nothing has to be waited for in between. */
  readonly maxBatches = 2;
  readonly #connections: Connections;
  readonly #id: NamespaceId;
  readonly #schema: string;
  #appends: Pipeline | undefined;

  constructor(connections: Connections, id: NamespaceId) {
    this.#connections = connections;
    this.#id = id;
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

  /** What may wait for a lock must not hold up what comes after it. */
  #append(statement: Statement, values: readonly unknown[], mayWait: boolean): Promise<Row[]> {
    if (mayWait) return this.#connections.query(statement, values);
    this.#appends ??= this.#connections.pipeline();
    return this.#appends.query(statement, values);
  }

  async page(query: PageQuery, options: CallOptions): Promise<Page> {
    const { selector, backwards = false } = query;
    const unbounded = selector.kind === "all" && query.until === undefined && !backwards;
    const until = unbounded ? await this.#safeHead(options) : query.until;
    const rows = await this.#rows({ ...query, until }, options);
    const messages = rows.map(packed);
    const last = rows.at(-1);
    if (last === undefined || rows.length < fullPageSize(last)) return { messages, next: undefined };
    const next = positionOf(selector, messages.at(-1)!) + (backwards ? -1n : 1n);
    return { messages, next: next < 0n ? undefined : next };
  }

  async head(selector: Selector, options: CallOptions): Promise<bigint | undefined> {
    if (selector.kind === "all") {
      const head = await this.#safeHead(options);
      return head > 0n ? head : undefined;
    }
    const [kind, key] =
      selector.kind === "stream" ? (["s", selector.streamName] as const) : (["c", selector.category] as const);
    const text = kind === "s" ? headOfStreamText(this.#schema) : headOfCategoryText(this.#schema);
    const [row] = await this.#query({ name: `${this.#schema}h${kind}`, text }, [key], options);
    return row?.[0] == null ? undefined : bigintOf(row[0]);
  }

  async progress(options: CallOptions): Promise<Progress> {
    // In this order: a position that is drawn in between counts as under way.
    const text = `SELECT coalesce(pg_sequence_last_value('${this.#schema}.messages_global_position_seq'), 0), ${this.#schema}.safe_head()`;
    const [row] = await this.#query({ name: `${this.#schema}o`, text }, [], options);
    return { drawn: bigintOf(row?.[0]), safe: bigintOf(row?.[1]) };
  }

  async changedSince(globalPosition: bigint, options: CallOptions): Promise<ReadonlyMap<string, bigint>> {
    const text = `SELECT category, max(global_position) FROM ${this.#schema}.messages WHERE global_position > $1 GROUP BY category`;
    const rows = await this.#query({ name: `${this.#schema}w`, text }, [String(globalPosition)], options);
    return new Map(rows.map(([category, last]) => [textOf(category), bigintOf(last)]));
  }

  async last(
    streamName: StreamName,
    type: string | undefined,
    options: CallOptions,
  ): Promise<StoredMessage | undefined> {
    const text = `SELECT ${MESSAGE_COLUMNS} FROM ${this.#schema}.messages m
      WHERE m.stream_name = $1${type === undefined ? "" : " AND m.type = $2"} ORDER BY m.position DESC LIMIT 1`;
    const values = type === undefined ? [streamName] : [streamName, type];
    const [row] = await this.#query({ name: `${this.#schema}l${values.length}`, text }, values, options);
    return row === undefined ? undefined : messageOf(row);
  }

  async at(
    globalPositions: readonly bigint[],
    maxBytes: number,
    options: CallOptions,
  ): Promise<readonly StoredMessage[]> {
    const statement = { name: `${this.#schema}i`, text: atText(this.#schema) };
    return (await this.#query(statement, [globalPositions, maxBytes], options)).map(messageOf);
  }

  async version(streamName: StreamName, options: CallOptions): Promise<bigint | undefined> {
    const text = `SELECT ${this.#schema}.stream_version($1)`;
    const [row] = await this.#query({ name: `${this.#schema}v`, text }, [streamName], options);
    return row?.[0] == null ? undefined : bigintOf(row[0]);
  }

  async firstAt(selector: Selector, timeMicros: bigint, options: CallOptions): Promise<bigint | undefined> {
    const searched = withoutFilters(selector);
    const head = await this.head(searched, options);
    if (head === undefined) return undefined;
    const from = await firstAt(head, timeMicros - CLOCK_MARGIN_MICROS, (start) =>
      this.#probe(searched, start, options),
    );
    if (from === undefined) return undefined;
    const { statement, values } = firstAtStatement(this.#schema, searched, from, head, timeMicros);
    const [row] = await this.#query(statement, values, options);
    return row === undefined ? undefined : bigintOf(row[0]);
  }

  async categories(query: NamesQuery, options: CallOptions): Promise<readonly CategorySummary[]> {
    const rows = await this.#names(categoriesText(this.#schema), query.prefix, query, options);
    return rows.map(([category, messages, streams, last]) => ({
      category: textOf(category),
      messageCount: bigintOf(messages),
      streamCount: bigintOf(streams),
      lastGlobalPosition: bigintOf(last),
    }));
  }

  async streams(query: StreamsQuery, options: CallOptions): Promise<readonly StreamSummary[]> {
    const prefix = commonPrefix(query);
    const rows = prefix === undefined ? [] : await this.#names(streamsText(this.#schema), prefix, query, options);
    return rows.map(([name, messages, version, last]) => ({
      streamName: textOf(name),
      messageCount: bigintOf(messages),
      version: bigintOf(version),
      lastGlobalPosition: bigintOf(last),
    }));
  }

  async statistics(options: CallOptions): Promise<NamespaceStatistics> {
    const text = `
      SELECT coalesce(sum(message_count), 0), count(*) FILTER (WHERE message_count > 0),
             pg_total_relation_size('${this.#schema}.messages') + pg_total_relation_size('${this.#schema}.categories')
      FROM ${this.#schema}.categories`;
    const [row] = await this.#query({ text }, [], options);
    return { messageCount: bigintOf(row?.[0]), categoryCount: bigintOf(row?.[1]), storageBytes: bigintOf(row?.[2]) };
  }

  /** Runs a statement of names.sql.ts. */
  #names(text: string, prefix: string, { after, limit }: NamesQuery, options: CallOptions): Promise<Row[]> {
    return this.#query({ text }, [prefix, afterPrefix(prefix) ?? null, after ?? null, limit], options);
  }

  async #safeHead(options: CallOptions): Promise<bigint> {
    const [row] = await this.#query(
      { name: `${this.#schema}s`, text: `SELECT ${this.#schema}.safe_head()` },
      [],
      options,
    );
    return bigintOf(row?.[0]);
  }

  async #probe(
    selector: Selector,
    from: bigint,
    options: CallOptions,
  ): Promise<{ position: bigint; timeMicros: bigint } | undefined> {
    const [row] = await this.#rows({ selector, from, limit: 1, maxBytes: 0 }, options);
    if (row === undefined) return undefined;
    const message = packed(row);
    return { position: positionOf(selector, message), timeMicros: message.timeMicros };
  }

  /** The rows of a page. */
  async #rows(query: PageQuery, options: CallOptions): Promise<readonly BinaryRow[]> {
    const { name, text } = pageCall(this.#schema, query);
    try {
      return await this.#connections.copy(
        { name, text: `COPY (SELECT * FROM ${text}) TO STDOUT (FORMAT binary)` },
        options,
      );
    } catch (error) {
      throw translateNamespaceError(error, this.#id);
    }
  }

  async #query(
    statement: { name?: string; text: string },
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<Row[]> {
    try {
      return await this.#connections.query(statement, values, options);
    } catch (error) {
      throw translateNamespaceError(error, this.#id);
    }
  }
}

/**
 * Whether a repeat will see what got in the way: an id or a position taken meanwhile, or a statement that was to be
 * prepared by the batch before, which has failed at that.
 */
function isCollision(error: unknown): boolean {
  const code = codeOf(error);
  const passing: readonly (string | undefined)[] = [SQLSTATE.serializationFailure, SQLSTATE.invalidStatementName];
  return violates(error, "messages_id") || violates(error, "messages_stream") || passing.includes(code);
}

/** The times of a category ascend with its positions, so its filters only make the search slower. */
function withoutFilters(selector: Selector): Selector {
  return selector.kind === "category" ? { kind: "category", category: selector.category } : selector;
}
