import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Selector } from "../../src/domain/message.ts";
import type { Category } from "../../src/domain/stream-name.ts";
import { openPostgresNamespace, type PostgresNamespace, type Replica } from "../support/postgres-namespace.ts";

const CATEGORIES = ["red", "green", "blue"];
const ROUNDS = 60;

/** Any of the categories, and a stream in it that writers of every kind share. */
function anyStream(): string {
  return `${CATEGORIES[Math.floor(Math.random() * CATEGORIES.length)]}-${Math.floor(Math.random() * 3)}`;
}

/** Appends as Satchel's own callers do. Returns how many messages were acknowledged. */
async function satchelWriter({ append }: Replica): Promise<number> {
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
async function messageDbWriter(namespace: PostgresNamespace): Promise<number> {
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

/** Asks for what comes after the last position it has seen, again and again, until `finished` and nothing is left. */
async function follow({ streams }: Replica, selector: Selector, finished: () => boolean): Promise<bigint[]> {
  const seen: bigint[] = [];
  for (;;) {
    const last = finished();
    const { messages } = await streams.page(
      { selector, from: (seen.at(-1) ?? 0n) + 1n, limit: 50, maxBytes: 1 << 20 },
      {},
    );
    seen.push(...messages.map(({ globalPosition }) => globalPosition));
    if (last && messages.length === 0) return seen;
    await delay(Math.random() * 5);
  }
}

test("readers of categories and of the namespace see everything once, in order, while two replicas and Message DB clients write", async () => {
  await using namespace = await openPostgresNamespace();
  const [one, two] = [await namespace.replica(), await namespace.replica()];
  let writing = true;
  const selectors: Selector[] = [
    { kind: "all" },
    ...CATEGORIES.map((category) => ({ kind: "category" as const, category: category as Category })),
  ];
  const reading = Promise.all(
    selectors.flatMap((selector) => [one, two].map((replica) => follow(replica, selector, () => !writing))),
  );
  const acknowledged = await Promise.all([
    ...[one, two].flatMap((replica) => [1, 2, 3].map(() => satchelWriter(replica))),
    ...[1, 2, 3].map(() => messageDbWriter(namespace)),
  ]);
  writing = false;
  const seen = await reading;

  const sql = await namespace.client();
  const stored = async (category?: string): Promise<bigint[]> => {
    const { rows } = await sql.query<{ global_position: string }>(
      "SELECT global_position FROM messages WHERE $1::text IS NULL OR category = $1 ORDER BY 1",
      [category],
    );
    return rows.map((row) => BigInt(row.global_position));
  };
  const expected: bigint[][] = [];
  for (const category of [undefined, ...CATEGORIES]) expected.push(await stored(category));
  expect(expected[0]).toHaveLength(acknowledged.reduce((sum, count) => sum + count, 0));
  for (const [index, positions] of seen.entries()) expect(positions).toEqual(expected[Math.floor(index / 2)]);

  const { rows: gaps } = await sql.query(
    "SELECT stream_name FROM messages GROUP BY 1 HAVING count(*) <> max(position) + 1",
  );
  expect(gaps).toEqual([]);
}, 60_000);
