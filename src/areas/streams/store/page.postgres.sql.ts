import { escapeLiteral } from "pg";
import type { Statement } from "../../../kernel/store/engines/postgres/text-rows.ts";
import { MAX_POSITION, type PageQuery, type Selector } from "../domain/message.ts";

/** The call of a function of migrations/0001-pages.postgres.sql.ts, whose rows are those of one page. */
export function pageCall(schema: string, query: PageQuery): Required<Statement> {
  const { selector, backwards = false, types = [] } = query;
  const [least, most] = backwards ? [query.until ?? 0n, query.from] : [query.from, query.until ?? MAX_POSITION];
  const values = [...keysOf(selector), least, most, backwards, types, query.limit, query.maxBytes];
  const name = `${schema}.page_of_${selector.kind}`;
  return { name, text: `${name}(${values.map(literal).join(", ")})` };
}

/** The arguments that say what is selected. */
function keysOf(selector: Selector): (string | bigint | undefined)[] {
  switch (selector.kind) {
    case "all":
      return [];
    case "stream":
      return [selector.streamName];
    case "category": {
      const { category, correlation, consumerGroup } = selector;
      return [category, correlation, consumerGroup?.member, consumerGroup?.size];
    }
  }
}

/** COPY takes no parameters. An empty list is null. */
function literal(value: string | bigint | number | boolean | readonly string[] | undefined): string {
  if (typeof value === "string") return escapeLiteral(value);
  if (typeof value !== "object") return value === undefined ? "NULL" : String(value);
  return value.length === 0 ? "NULL" : `ARRAY[${value.map(escapeLiteral).join(",")}]`;
}
