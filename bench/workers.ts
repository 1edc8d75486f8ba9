/**
 * Compares a server of one process with a server of two workers behind one port. The loads are a cheap read, appends to one
 * category, appends to many categories, and one category with many followers. The callers run in processes of their own and
 * load one server at a time. Starts PostgreSQL. Clients, servers and PostgreSQL share the machine: on fewer than eight cores
 * only the CPU time per call is meaningful, not the rate. Prints a table.
 *
 *   npm run bench:workers -- [rounds, 5 unless given] [seconds of each measurement, 3 unless given]
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createDatabaseOn } from "../test/support/database-on.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { type ServerProcess, startServer } from "../test/support/server-process.ts";
import { LiveRun } from "./support/live-run.ts";
import { measureInRounds, type Subject, tableOf } from "./support/rounds.ts";
import type { LoadOrder, Work } from "./support/workers-load.ts";

const WORKERS = [1, 2];
const WORKS: readonly Work[] = ["GetStreamVersion", "AppendMessages, one category", "AppendMessages, 1,000 categories"];
const LOADS = 2;
const CONNECTIONS = 8;
const CALLERS = 32;
const FOLLOWERS = 500;
const LIVE_APPENDS_PER_SECOND = 20;

const [rounds = 5, seconds = 3] = process.argv.slice(2).map(Number);

await using cleanUp = new AsyncDisposableStack();
const postgres = cleanUp.use(await startPostgres());
const cpuMicros = new Map<string, number[]>();
const subjects: Subject[] = [];
for (const workers of WORKERS) subjects.push(...(await subjectsOf(workers)));
const figures = await measureInRounds(subjects, rounds, (line) => process.stderr.write(`${line}\n`));
process.stdout.write(`\n${tableOf(figures)}\n\n${cpuTable()}\n`);

async function subjectsOf(workers: number): Promise<Subject[]> {
  const database = cleanUp.use(await createDatabaseOn(postgres.url));
  const env = { SATCHEL_WORKERS: String(workers) };
  const server = cleanUp.use(await startServer({ databaseUrl: database.url, env }));
  const token = await server.defaultToken();
  const loads = await Promise.all(Array.from({ length: LOADS }, (_, number) => startLoad(server, token, number)));
  const named = `${workers} ${workers === 1 ? "process" : "workers"}`;
  const calls = WORKS.map((work): Subject => {
    const name = `${named}: ${work}`;
    const measure = () => noteCpu(name, server, () => callsPerSecondBy(loads, { work, durationMs: seconds * 1_000 }));
    return { name, unit: "calls/s", measure };
  });
  const name = `${named}: ${FOLLOWERS} followers of one category`;
  const live = (): Promise<number> => noteCpu(name, server, () => deliveriesPerSecond(server, token));
  return [...calls, { name, unit: "deliveries/s", measure: live }];
}

async function startLoad(server: ServerProcess, token: string, number: number): Promise<ChildProcess> {
  const args = [server.url, token, CONNECTIONS, CALLERS, number].map(String);
  const child = fork(join(import.meta.dirname, "support/workers-load.ts"), args);
  cleanUp.defer(() => child.disconnect());
  await once(child, "message");
  return child;
}

async function callsPerSecondBy(loads: readonly ChildProcess[], order: LoadOrder): Promise<number> {
  const rates = loads.map(async (load) => {
    load.send(order);
    const [rate] = (await once(load, "message")) as [number];
    return rate;
  });
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
}

async function deliveriesPerSecond(server: ServerProcess, token: string): Promise<number> {
  const categories = Array.from({ length: FOLLOWERS }, () => "followed");
  await using run = await LiveRun.open({ from: server, to: server, token, connections: CONNECTIONS, categories });
  const { deliveries, p50, p99 } = await run.measure(["followed"], LIVE_APPENDS_PER_SECOND, seconds);
  process.stderr.write(`p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`);
  return deliveries;
}

/** Runs `measure`, which returns a rate per second, and records the server's CPU microseconds per counted call or delivery. */
async function noteCpu(name: string, server: ServerProcess, measure: () => Promise<number>): Promise<number> {
  const [before, start] = [await cpuSeconds(server), performance.now()];
  const rate = await measure();
  const count = (rate * (performance.now() - start)) / 1_000;
  const used = ((await cpuSeconds(server)) - before) * 1e6;
  cpuMicros.set(name, [...(cpuMicros.get(name) ?? []), used / count]);
  return rate;
}

/** CPU seconds used by all workers together, without the process that supervises them. */
async function cpuSeconds({ url }: ServerProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(metrics)?.[1]);
}

function cpuTable(): string {
  const rows = [...cpuMicros].map(([name, values]) => {
    const sorted = values.slice(1).toSorted((a, b) => a - b);
    return `| ${name} | ${sorted[Math.floor(sorted.length / 2)]?.toFixed(0) ?? ""} |`;
  });
  return ["| what | µs of the servers' CPU for each |", "|---|--:|", ...rows].join("\n");
}
