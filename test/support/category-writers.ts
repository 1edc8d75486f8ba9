import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { PostgresNamespace, Replica } from "./postgres-namespace.ts";

/** The categories that the writers share. */
export const CATEGORIES = ["red", "green", "blue"] as const;
const ROUNDS = 60;

/** Appends as Satchel's own callers do. Returns how many messages were acknowledged. */
export async function satchelWriter({ append }: Replica): Promise<number> {
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const count = 1 + Math.floor(Math.random() * 3);
    const outcome = await append(anyStream(), { count });
    expect(outcome.kind).toBe("appended");
    acknowledged += count;
  }
  return acknowledged;
}

/** Appends as a Message DB client does: some transactions are long, some are rolled back. */
export async function messageDbWriter(namespace: PostgresNamespace): Promise<number> {
  const client = await namespace.client();
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const stream = anyStream();
    const end = Math.random() < 0.2 ? "ROLLBACK" : "COMMIT";
    await client.query("BEGIN");
    await client.query("SELECT write_message(gen_random_uuid()::varchar, $1, 'T', '{}')", [stream]);
    await delay(Math.random() * 20);
    await client.query("SELECT write_message(gen_random_uuid()::varchar, $1, 'T', '{}')", [stream]);
    await client.query(end);
    if (end === "COMMIT") acknowledged += 2;
  }
  return acknowledged;
}

/** The global positions of what is stored, of a category or of all, in order. */
export async function storedPositions(namespace: PostgresNamespace, category?: string): Promise<bigint[]> {
  const sql = await namespace.client();
  const { rows } = await sql.query<{ global_position: string }>(
    "SELECT global_position FROM messages WHERE $1::text IS NULL OR category = $1 ORDER BY 1",
    [category],
  );
  return rows.map((row) => BigInt(row.global_position));
}

/** Any of the categories, and a stream in it that writers of every kind share. */
function anyStream(): string {
  return `${CATEGORIES[Math.floor(Math.random() * CATEGORIES.length)]}-${Math.floor(Math.random() * 3)}`;
}
