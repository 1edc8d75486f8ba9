import { MAX_POSITION } from "../domain/message.ts";
import { categoryOrder, inCategory } from "./category-range.postgres.sql.ts";

/** The position of the last message that a stream has had; null when it never had one. */
export function headOfStreamText(schema: string): string {
  return `
    SELECT coalesce(
      (SELECT m.position FROM ${schema}.messages m WHERE m.stream_name = $1 ORDER BY m.position DESC LIMIT 1),
      (SELECT s.version FROM ${schema}.stream_states s WHERE s.stream_name = $1 AND s.version >= 0))`;
}

/** The global position of the last message that a category has had; null when it never had one. */
export function headOfCategoryText(schema: string): string {
  return `
    SELECT greatest(
      (SELECT m.global_position FROM ${schema}.messages m WHERE ${inCategory("$1", "0", String(MAX_POSITION))} ORDER BY ${categoryOrder(" DESC")} LIMIT 1),
      (SELECT c.last_global_position FROM ${schema}.categories c WHERE c.category = $1))`;
}
