/**
 * Measures the time to create a namespace, and to delete one of 10,000 messages, on a server with many namespaces. Also
 * measures the memory and the database connections of that server. Prints a table and writes it into docs/performance.md.
 *
 *   npm run bench:namespaces -- [namespaces, 1,000 unless given]
 */
import { readFile } from "node:fs/promises";
import { Client } from "pg";
import { createClient } from "../clients/typescript/src/index.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { type ServerProcess, startServer } from "../test/support/server-process.ts";
import { recordSection } from "./support/record.ts";

const MESSAGES = 10_000;
const PER_APPEND = 1_000;
const DELETIONS = 20;
const [count = 1_000] = process.argv.slice(2).map(Number);

await using cleanUp = new AsyncDisposableStack();
const postgres = cleanUp.use(await startPostgres());
const rows = [
  await measure("SQLite", cleanUp.use(await startServer())),
  await measure("PostgreSQL", cleanUp.use(await startServer({ databaseUrl: postgres.url }))),
];
const table = [
  `| engine | create, ms | the slowest of ${count.toLocaleString("en")} | delete, ms | the slowest of ${DELETIONS} | memory of the server, MiB | connections |`,
  "|---|--:|--:|--:|--:|--:|--:|",
  ...rows,
].join("\n");
process.stdout.write(`${table}\n`);
await recordSection(
  "namespaces",
  `Medians; ${count.toLocaleString("en")} namespaces, one call after the other; ${MESSAGES.toLocaleString("en")} messages in each that is deleted. ` +
    `Memory and connections after a message was appended to every namespace.\n\n${table}`,
);

async function measure(engine: string, server: ServerProcess): Promise<string> {
  using root = createClient({ baseUrl: server.url, token: await server.rootToken() });
  const tokens: string[] = [];
  const creations: number[] = [];
  for (let index = 0; index < count; index++) {
    creations.push(await timed(async () => void tokens.push((await root.namespaces.create(`bench-${index}`)).token)));
  }
  for (const token of tokens) await append(server, token, 1);
  const used = [await residentMib(server.pid), await connections(engine)];

  const deletions: number[] = [];
  for (let index = 0; index < DELETIONS; index++) {
    await append(server, tokens[index] ?? "", MESSAGES);
    deletions.push(await timed(async () => void (await root.namespaces.delete(`bench-${index}`))));
  }
  return `| ${[engine, ...summary(creations), ...summary(deletions), ...used].join(" | ")} |`;
}

async function append(server: ServerProcess, token: string, messages: number): Promise<void> {
  using client = createClient({ baseUrl: server.url, token });
  for (let left = messages; left > 0; left -= PER_APPEND) {
    const batch = Array.from({ length: Math.min(left, PER_APPEND) }, (_, n) => ({ type: "Filled", data: { n } }));
    await client.streams.append(`bench-${left}`, batch);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The median and the maximum. */
function summary(values: readonly number[]): [string, string] {
  const sorted = values.toSorted((a, b) => a - b);
  return [(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1), (sorted.at(-1) ?? 0).toFixed(1)];
}

async function residentMib(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kib = /VmRSS:\s+(\d+)/.exec(status)?.[1];
  return kib === undefined ? "unknown" : String(Math.round(Number(kib) / 1_024));
}

/** The number of PostgreSQL connections that the server holds, or "none" on SQLite. */
async function connections(engine: string): Promise<string> {
  if (engine === "SQLite") return "none";
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  const { rows: found } = await client.query<{ count: string }>(
    "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'satchel%'",
  );
  await client.end();
  return found[0]?.count ?? "unknown";
}
