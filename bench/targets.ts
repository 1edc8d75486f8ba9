/**
 * Measures appends and reads over gRPC on both engines, and compares them with Message DB's functions and with COPY on the
 * same PostgreSQL server; the first table says which performance targets are met. Starts PostgreSQL, with Message DB, and
 * the servers. Without pgbench or psql the comparisons that need them are left out. Prints two tables. With --full, which
 * takes about ten minutes, it reads a million messages, measures longer, and writes the tables and a chart into docs.
 *
 *   npm run bench:targets -- [--full]
 */
import { Client } from "pg";
import { startPostgres } from "../test/support/postgres-server.ts";
import { type ServerProcess, startServer } from "../test/support/server-process.ts";
import { recordChart } from "./support/chart.ts";
import { createMessageDb, messageDbSubjects } from "./support/message-db.ts";
import { copySeconds, missingPrograms } from "./support/psql.ts";
import { recordSection } from "./support/record.ts";
import { type Figure, measureInRounds, type Subject, tableOf } from "./support/rounds.ts";
import { CALLERS, Satchel, satchelSubjects } from "./support/satchel.ts";
import { streamingMemory } from "./support/streaming-memory.ts";
import { type Target, targetTable } from "./support/targets.ts";
import { CATEGORIES, GROUP_SIZE, PAGE } from "./support/workload.ts";

const full = process.argv.includes("--full");
const extent = full ? { seconds: 1, readCount: 1_000_000 } : { seconds: 1, readCount: 100_000 };
const rounds = full ? 5 : 3;
const COLUMNS = "id, stream_name, type, position, global_position, data, metadata, time";
const many = `${CATEGORIES.toLocaleString("en")} categories`;
const APPENDS = [
  { work: "AppendMessages, 1 message, 64 callers, one category", append: "1 a call, 64 callers, one" },
  { work: `the same over ${many}`, append: "1 a call, 64 callers, 1,000" },
  { work: "AppendMessages, 100 messages, 8 callers, one category", append: "100 a call, 8 callers" },
];

const TARGETS: Target[] = [
  ...["one category", many, "one category"].map((where, index) => ({
    work: `PostgreSQL: ${APPENDS[index]?.work ?? ""}`,
    subject: `Satchel on PostgreSQL: AppendMessages, ${APPENDS[index]?.append ?? ""}`,
    against: `Message DB: write_message, ${where}`,
    peer: `Message DB's write_message, ${where}, best of 1, 8 and 32 clients`,
    atLeast: [4, 2, 15][index] ?? 0,
  })),
  ...APPENDS.map(({ work, append }) => ({
    work: `SQLite: ${work}`,
    subject: `Satchel on SQLite: AppendMessages, ${append}`,
    against: `Satchel on PostgreSQL: AppendMessages, ${append}`,
    peer: "PostgreSQL",
    atLeast: 1,
  })),
  {
    work: `PostgreSQL: ReadMessages of ${extent.readCount.toLocaleString("en")}`,
    subject: "Satchel on PostgreSQL: ReadMessages",
    against: "psql",
    peer: "psql, COPY of the same rows to a file",
    atLeast: 0.4,
  },
  {
    work: `PostgreSQL: GetCategoryMessages, ${PAGE} a page, a consumer group of ${GROUP_SIZE}`,
    subject: "Satchel on PostgreSQL: GetCategoryMessages",
    against: "Message DB: get_category_messages",
    peer: "Message DB's get_category_messages, best of 1, 8 and 32 clients",
    atLeast: 5,
  },
];

await using cleanUp = new AsyncDisposableStack();
const missing = missingPrograms(["pgbench", "psql"]);
if (missing.length > 0) {
  log(`${missing.join(" and ")} cannot be run: install PostgreSQL's packages (on Debian postgresql and`);
  log("postgresql-client); until then nothing is measured that they drive.");
}
const postgres = cleanUp.use(await startPostgres());
const subjects: Subject[] = [];
const servers: ServerProcess[] = [];
for (const [engine, databaseUrl] of Object.entries({ SQLite: undefined, PostgreSQL: postgres.url })) {
  const server = cleanUp.use(await startServer({ databaseUrl }));
  servers.push(server);
  const satchel = cleanUp.use(await Satchel.connect(engine, server, extent));
  log(`filling ${engine}`);
  await satchel.fill();
  subjects.push(...satchelSubjects(satchel));
}
await vacuum(postgres.url);
if (!missing.includes("pgbench")) {
  const messageDbUrl = await createMessageDb(postgres.url, extent.readCount);
  subjects.push(...messageDbSubjects(messageDbUrl, extent.readCount, extent.seconds));
}
if (!missing.includes("psql")) subjects.push(copySubject(postgres.url));

const figures = await measureInRounds(subjects, rounds, log);
const memory = await streamingMemory(postgres.url, servers.at(-1)!, extent);
const how = `Medians of ${rounds} interleaved rounds, ${extent.seconds} s each; clients and servers share the machine.`;
const text = [
  how,
  "",
  targetTable(figures, TARGETS),
  "",
  memory,
  "",
  "Everything that was measured:",
  "",
  tableOf(figures),
];
process.stdout.write(`\n${text.join("\n")}\n`);
if (full) {
  await recordSection("targets", text.join("\n"));
  await recordChart("appends", {
    title: "Appends of one message to one category",
    x: { label: "callers", values: CALLERS },
    y: "messages a second",
    lines: [
      { name: "Satchel on PostgreSQL", values: appends(figures, "Satchel on PostgreSQL: AppendMessages, 1 a call") },
      { name: "Satchel on SQLite", values: appends(figures, "Satchel on SQLite: AppendMessages, 1 a call") },
      { name: "Message DB, by pgbench", values: appends(figures, "Message DB: write_message") },
    ],
  });
}

function appends(all: readonly Figure[], prefix: string): number[] {
  return all.filter(({ name }) => name.startsWith(prefix) && name.includes("one category")).map(({ median }) => median);
}

function copySubject(databaseUrl: string): Subject {
  const query = `SELECT ${COLUMNS} FROM ns_default.messages WHERE category = 'read' ORDER BY global_position`;
  return {
    name: "psql: COPY of the same rows to a file",
    unit: "messages/s",
    measure: () => extent.readCount / copySeconds(databaseUrl, query),
  };
}

async function vacuum(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("VACUUM ANALYZE ns_default.messages");
  await client.end();
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
