import { microsOf } from "../../../kernel/store/engines/postgres/row.ts";
import { MAX_POSITION } from "../domain/message.ts";
import { categoryOrder, inCategory } from "./category-range.postgres.sql.ts";

const POLICY_COLUMNS = "target, max_age_micros, max_count, revision, aged_to, counted_to";
const PLACE_COLUMNS = `m.stream_name, m.position, m.global_position, ${microsOf("m.time")}`;

/** The first and the last position of each stream that has messages. */
export function endsText(schema: string): string {
  const end = (order: string): string =>
    `LATERAL (SELECT m.position FROM ${schema}.messages m WHERE m.stream_name = s.name ORDER BY m.position ${order} LIMIT 1)`;
  return `SELECT s.name, first.position, last.position FROM unnest($1::text[]) s(name), ${end("ASC")} first, ${end("DESC")} last`;
}

/** The messages of a stream after a position, with nothing of their content. */
export function placesOfStreamText(schema: string): string {
  return `SELECT ${PLACE_COLUMNS} FROM ${schema}.messages m
    WHERE m.stream_name = $1 AND m.position > $2 ORDER BY m.position LIMIT $3`;
}

/** The messages of a category after a global position, likewise. */
export function placesOfCategoryText(schema: string): string {
  return `SELECT ${PLACE_COLUMNS} FROM ${schema}.messages m
    WHERE ${inCategory("$1", "$2::bigint + 1", String(MAX_POSITION))} ORDER BY ${categoryOrder()} LIMIT $3`;
}

/** The policies of some targets. */
export function policiesOfText(schema: string): string {
  return `SELECT ${POLICY_COLUMNS} FROM ${schema}.retention_policies WHERE target = ANY ($1)`;
}

/** A page of policies. */
export function policiesText(schema: string): string {
  return `SELECT ${POLICY_COLUMNS} FROM ${schema}.retention_policies WHERE target > $1 ORDER BY target LIMIT $2`;
}

/** Stores how far a category has been seen to, unless its policy is another one. */
export function advanceText(schema: string): string {
  return `UPDATE ${schema}.retention_policies
    SET aged_to = greatest(aged_to, $3), counted_to = greatest(counted_to, $4)
    WHERE target = $1 AND revision = $2 RETURNING target`;
}
