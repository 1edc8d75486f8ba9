import { MAX_POSITION, type PageQuery, type Selector } from "../../domain/message.ts";
import { categoryOrder, inCategory } from "./category-range.sql.ts";
import type { Statement } from "./connections.ts";
import { MESSAGE_COLUMNS } from "./row.ts";

/** A page that is this many times smaller than it might be is not worth what it saves. */
const WORTH_IT = 4;

interface StatementWithValues {
  readonly statement: Statement;
  readonly values: unknown[];
}

/** Where every row of a page says how many of the rows are the page. */
export const SIZE_COLUMN = 8;

/**
 * The statement of one page: the columns of its messages, and of the next one when there is one, which begins the next page;
 * with each of them how many messages the page has at most.
 */
export function pageStatement(schema: string, query: PageQuery): StatementWithValues {
  const { selector, backwards = false } = query;
  const filter = new Filter(selector, backwards);
  const limit = filter.parameter(query.limit);
  const maxBytes = filter.parameter(query.maxBytes);
  const [least, most] = backwards ? [query.until ?? 0n, query.from] : [query.from, query.until ?? MAX_POSITION];
  filter.select(least, most);
  const byTypes = query.types !== undefined && query.types.length > 0;
  if (byTypes) filter.where(`m.type = ANY (${filter.parameter(query.types)})`, "t");
  const found = `${schema}.messages m WHERE ${filter.conditions}`;
  const keys = `SELECT m.global_position FROM ${found} ORDER BY ${filter.order} LIMIT ${limit}::bigint + 1`;
  // Where an index has all that selects, the index finds the messages, and the table is asked for no others.
  const byKeys = filter.inIndex && !byTypes;
  const messages = byKeys
    ? `${schema}.messages m WHERE m.global_position = ANY ((SELECT keys FROM page)::bigint[])`
    : found;
  const order = byKeys ? `m.global_position${filter.direction}` : filter.order;
  const sized = pageSize(schema, { limit, maxBytes, category: filter.category, messages, order });
  const text = `
    WITH ${byKeys ? `page AS MATERIALIZED (SELECT ARRAY (${keys}) AS keys), ` : ""}size AS MATERIALIZED (SELECT ${sized} AS messages)
    SELECT ${MESSAGE_COLUMNS}, (SELECT messages FROM size)
    FROM ${messages} ORDER BY ${order} LIMIT 1 + (SELECT messages FROM size)`;
  return {
    statement: { name: `${schema}p${selector.kind}${backwards ? "<" : ">"}${filter.shape}`, text },
    values: filter.values,
  };
}

interface Sized {
  readonly limit: string;
  readonly maxBytes: string;
  /** Of all messages, where they are of one. */
  readonly category: string | undefined;
  /** What is to be read, and in which order. */
  readonly messages: string;
  readonly order: string;
}

/**
 * How many messages are a page: no more than the limit, nor than fit; at least one. Adding them up costs a good part of what
 * reading them does, so where the largest message of the category is small enough, as many are taken as fit at that size.
 */
function pageSize(schema: string, { limit, maxBytes, category, messages, order }: Sized): string {
  const added = `
    SELECT greatest(1, count(*)) FROM (
      SELECT sum(m.bytes) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) AS total
      FROM (SELECT m.bytes, m.category, m.global_position, m.position FROM ${messages} ORDER BY ${order} LIMIT ${limit}) m
    ) m WHERE m.total <= ${maxBytes}`;
  if (category === undefined) return `(${added})`;
  const certain = `(SELECT ${maxBytes}::bigint / greatest(c.max_message_bytes, 1) FROM ${schema}.categories c WHERE c.category = ${category})`;
  return `CASE WHEN ${certain} * ${WORTH_IT} >= ${limit}::bigint THEN least(${limit}::bigint, ${certain}) ELSE (${added}) END`;
}

/** The first position of a selector, from `from` to `head`, whose message is not earlier than the time. */
export function firstAtStatement(
  schema: string,
  selector: Selector,
  from: bigint,
  head: bigint,
  timeMicros: bigint,
): StatementWithValues {
  const filter = new Filter(selector);
  filter.where(`m.time >= timestamp 'epoch' + ${filter.parameter(timeMicros)}::bigint * interval '1 microsecond'`);
  filter.select(from, head);
  const text = `SELECT m.${filter.column} FROM ${schema}.messages m WHERE ${filter.conditions} ORDER BY ${filter.order} LIMIT 1`;
  return { statement: { text }, values: filter.values };
}

/** The messages at global positions ($1), up to a number of bytes ($2). */
export function atText(schema: string): string {
  return `
    SELECT ${MESSAGE_COLUMNS}
    FROM (
      SELECT m.*, row_number() OVER page AS ordinal, sum(m.bytes) OVER page AS total
      FROM ${schema}.messages m WHERE m.global_position = ANY ($1::bigint[])
      WINDOW page AS (ORDER BY m.global_position ROWS UNBOUNDED PRECEDING)
    ) m
    WHERE m.ordinal = 1 OR m.total <= $2::bigint
    ORDER BY m.global_position`;
}

/** Collects the conditions on messages `m` and their parameters; `shape` tells statements of different text apart. */
class Filter {
  readonly values: unknown[] = [];
  /** That positions of the selector are in. */
  readonly column: "position" | "global_position";
  readonly direction: "" | " DESC";
  readonly #selector: Selector;
  readonly #conditions: string[] = [];
  #category: string | undefined;
  shape = "";

  constructor(selector: Selector, backwards = false) {
    this.#selector = selector;
    this.column = selector.kind === "stream" ? "position" : "global_position";
    this.direction = backwards ? " DESC" : "";
  }

  get conditions(): string {
    return this.#conditions.join(" AND ");
  }

  /** By position. */
  get order(): string {
    return this.#selector.kind === "category" ? categoryOrder(this.direction) : `m.${this.column}${this.direction}`;
  }

  /** The parameter of the one category that is selected from. */
  get category(): string | undefined {
    return this.#category;
  }

  /** Whether the index of categories has the columns by which a part of the category is selected. */
  get inIndex(): boolean {
    return this.#selector.kind === "category" && this.shape !== "";
  }

  parameter(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  where(condition: string, shape = ""): void {
    this.#conditions.push(condition);
    this.shape += shape;
  }

  /** What the selector selects between two positions, both included. */
  select(least: bigint, most: bigint): void {
    const [from, to] = [this.parameter(least), this.parameter(most)];
    const selector = this.#selector;
    if (selector.kind === "category") this.#category = this.parameter(selector.category);
    if (this.#category !== undefined) this.where(inCategory(this.#category, from, to));
    else this.where(`m.${this.column} BETWEEN ${from} AND ${to}`);
    if (selector.kind === "stream") this.where(`m.stream_name = ${this.parameter(selector.streamName)}`);
    if (selector.kind === "category") this.#selectPart(selector);
  }

  #selectPart({ correlation, consumerGroup }: Extract<Selector, { readonly kind: "category" }>): void {
    if (correlation !== undefined) this.where(`m.correlation_category = ${this.parameter(correlation)}`, "c");
    if (consumerGroup === undefined) return;
    const { member, size } = consumerGroup;
    this.where(`abs(m.cardinal_hash % ${this.parameter(size)}::bigint) = ${this.parameter(member)}::bigint`, "g");
  }
}
