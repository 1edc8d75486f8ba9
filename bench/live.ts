/**
 * Measures live delivery: the latency from an append to its delivery, with one follower and with many, on one replica and
 * from one replica to another; the CPU per delivery when many follow one category; and the memory and CPU of idle followers.
 * Starts PostgreSQL and the servers. Prints the tables and writes them into docs/performance.md.
 *
 *   npm run bench:live -- [seconds of each measurement, 10 unless given] [followers, 1,000 unless given]
 */
import { setTimeout as delay } from "node:timers/promises";
import { createDatabaseOn } from "../test/support/database-on.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { RawFollowers } from "../test/support/raw-followers.ts";
import { type ServerProcess, startServer } from "../test/support/server-process.ts";
import { inCategory } from "../test/support/streams.ts";
import { LiveRun, type LiveResult } from "./support/live-run.ts";
import { recordSection } from "./support/record.ts";

const CONNECTIONS = 10;
const APPENDS_PER_SECOND = 500;
const FAN_OUT_APPENDS_PER_SECOND = 5;
const IDLE_MS = 5_000;

const [seconds = 10, followers = 1_000] = process.argv.slice(2).map(Number);
const many = followers.toLocaleString("en");

await using cleanUp = new AsyncDisposableStack();
const postgres = cleanUp.use(await startPostgres());
const onSqlite = cleanUp.use(await startServer());
const onPostgres = cleanUp.use(await startServer({ databaseUrl: postgres.url }));
const replica = cleanUp.use(await startServer({ databaseUrl: postgres.url }));

const latencies = [
  ...(await measureEngine("SQLite", onSqlite, onSqlite)),
  ...(await measureEngine("PostgreSQL", onPostgres, onPostgres)),
  ...(await measureEngine("PostgreSQL, from one replica to another", onPostgres, replica)),
];
const idle = [await measureIdle("SQLite"), await measureIdle("PostgreSQL", postgres.url)];
const text = [
  `${seconds} s each; clients and servers share the machine. From the call of the append to the arrival of the message.`,
  [
    "| store | followers | appends/s | deliveries/s | p50, ms | p99, ms | µs of CPU a delivery |",
    "|---|---|--:|--:|--:|--:|--:|",
    ...latencies,
  ].join("\n"),
  `${many} followers who have nothing to do, over ${CONNECTIONS} connections:`,
  ["| store | MiB in use before | with them | µs of CPU a second, each |", "|---|--:|--:|--:|", ...idle].join("\n"),
].join("\n\n");
process.stdout.write(`\n${text}\n`);
await recordSection("live", text);

async function measureEngine(name: string, from: ServerProcess, to: ServerProcess): Promise<string[]> {
  const token = await from.defaultToken();
  const measure = async (what: string, categories: readonly string[], perSecond: number): Promise<string> => {
    const names = new Set(categories);
    await using run = await LiveRun.open({ from, to, token, connections: CONNECTIONS, categories });
    await run.measure([...names], perSecond, 2);
    const result = await run.measure([...names], perSecond, seconds);
    process.stderr.write(`${name}, ${what}: ${JSON.stringify(result)}\n`);
    return rowOf(name, what, result);
  };
  const own = Array.from({ length: followers }, (_, index) => `own${index}`);
  return [
    await measure("1", ["one"], APPENDS_PER_SECOND),
    await measure(`${many}, each of a category of its own`, own, APPENDS_PER_SECOND),
    await measure(
      `${many} of one category`,
      own.map(() => "shared"),
      FAN_OUT_APPENDS_PER_SECOND,
    ),
  ];
}

function rowOf(name: string, what: string, { appends, deliveries, p50, p99, cpuMicros }: LiveResult): string {
  const cells = [name, what, appends.toFixed(0), deliveries.toFixed(0), p50.toFixed(1), p99.toFixed(1)];
  return `| ${[...cells, cpuMicros?.toFixed(0) ?? "unknown"].join(" | ")} |`;
}

/** Measures idle followers on a new server, which has done nothing else. */
async function measureIdle(name: string, serverUrl?: string): Promise<string> {
  await using database = serverUrl === undefined ? undefined : await createDatabaseOn(serverUrl);
  await using server = await startServer({ databaseUrl: database?.url });
  const before = await server.residentMib();
  const requests = Array.from({ length: followers }, () => ({ selector: inCategory("idle") }));
  using _ = await RawFollowers.open({
    url: server.url,
    token: await server.defaultToken(),
    connections: CONNECTIONS,
    requests,
  });
  const cpuBefore = (await server.cpuSeconds()) ?? 0;
  await delay(IDLE_MS);
  const cpu = (((await server.cpuSeconds()) ?? 0) - cpuBefore) / (IDLE_MS / 1_000) / followers;
  const cells = [
    name,
    before?.toFixed(0) ?? "",
    (await server.residentMib())?.toFixed(0) ?? "",
    (cpu * 1e6).toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}
