import { MAX_POSITION, type PageQuery, type Selector } from "../../domain/message.ts";
import type { Statement } from "./connections.ts";
import { MESSAGE_COLUMNS } from "./row.ts";

/** The column that positions of a selector are in. */
function positionColumn(selector: Selector): "position" | "global_position" {
  return selector.kind === "stream" ? "position" : "global_position";
}

/**
 * The statement of one page: the columns of a message, then whether it belongs to the page. The first that does not is
 * where the next page begins; it comes without data.
 */
export function pageStatement(
  schema: string,
  query: PageQuery,
): { readonly statement: Statement; readonly values: unknown[] } {
  const { selector, backwards = false } = query;
  const column = positionColumn(selector);
  const filter = new Filter();
  const limit = filter.parameter(query.limit);
  const maxBytes = filter.parameter(query.maxBytes);
  filter.where(`m.${column} ${backwards ? "<=" : ">="} ${filter.parameter(query.from)}`);
  filter.where(
    `m.${column} ${backwards ? ">=" : "<="} ${filter.parameter(query.until ?? (backwards ? 0n : MAX_POSITION))}`,
  );
  filter.select(selector);
  if (query.types !== undefined && query.types.length > 0)
    filter.where(`m.type = ANY (${filter.parameter(query.types)})`, "t");
  const order = `${column}${backwards ? " DESC" : ""}`;
  const text = `
    SELECT m.id, m.stream_name, m.type, m.position, m.global_position,
           CASE WHEN m.belongs THEN m.data::text END, CASE WHEN m.belongs THEN m.metadata::text END,
           (extract(epoch FROM m.time) * 1000000)::bigint, m.belongs
    FROM (
      SELECT m.*, m.ordinal = 1 OR (m.ordinal <= ${limit} AND m.total <= ${maxBytes}) AS belongs
      FROM (
        SELECT m.*, row_number() OVER page AS ordinal, sum(m.bytes) OVER page AS total
        FROM (
          SELECT * FROM ${schema}.messages m WHERE ${filter.conditions} ORDER BY m.${order} LIMIT ${limit}::bigint + 1
        ) m
        WINDOW page AS (ORDER BY m.${order} ROWS UNBOUNDED PRECEDING)
      ) m
    ) m
    WHERE m.belongs OR m.ordinal = 2 OR m.total - m.bytes <= ${maxBytes}
    ORDER BY m.${order}`;
  return {
    statement: { name: `${schema}p${selector.kind}${backwards ? "<" : ">"}${filter.shape}`, text },
    values: filter.values,
  };
}

/** The first position of a selector, from `from` to `head`, whose message is not earlier than the time. */
export function firstAtStatement(
  schema: string,
  selector: Selector,
  from: bigint,
  head: bigint,
  timeMicros: bigint,
): { readonly statement: Statement; readonly values: unknown[] } {
  const column = positionColumn(selector);
  const filter = new Filter();
  filter.where(`m.${column} BETWEEN ${filter.parameter(from)} AND ${filter.parameter(head)}`);
  filter.where(`m.time >= timestamp 'epoch' + ${filter.parameter(timeMicros)}::bigint * interval '1 microsecond'`);
  filter.select(selector);
  const text = `SELECT m.${column} FROM ${schema}.messages m WHERE ${filter.conditions} ORDER BY m.${column} LIMIT 1`;
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

/** Collects conditions and their parameters; `shape` tells statements of different text apart. */
class Filter {
  readonly values: unknown[] = [];
  readonly #conditions: string[] = [];
  shape = "";

  get conditions(): string {
    return this.#conditions.join(" AND ");
  }

  parameter(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  where(condition: string, shape = ""): void {
    this.#conditions.push(condition);
    this.shape += shape;
  }

  select(selector: Selector): void {
    if (selector.kind === "stream") {
      this.where(`m.stream_name = ${this.parameter(selector.streamName)}`);
    } else if (selector.kind === "category") {
      this.where(`m.category = ${this.parameter(selector.category)}`);
      if (selector.correlation !== undefined) {
        this.where(`m.correlation_category = ${this.parameter(selector.correlation)}`, "c");
      }
      if (selector.consumerGroup !== undefined) {
        const { member, size } = selector.consumerGroup;
        this.where(`abs(m.cardinal_hash % ${this.parameter(size)}::bigint) = ${this.parameter(member)}::bigint`, "g");
      }
    }
  }
}
