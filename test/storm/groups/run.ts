/**
 * Storms of the members of consumer groups, on SQLite and on PostgreSQL, of which it starts a server. Ends with 1 when a
 * message was lost, out of order, or with two members at once, and says by which seed. Says how long partitions were
 * without a member.
 *
 *   npm run storm:groups -- [--runs 50] [--seed 1]
 */
import { parseArgs } from "node:util";
import { createDatabaseOn } from "../../support/database-on.ts";
import { startPostgres } from "../../support/postgres-server.ts";
import type { GroupRecorder } from "./recorder.ts";
import { Replicas } from "./replicas.ts";
import { groupStorm } from "./storm.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "50" }, seed: { type: "string", default: "1" } },
});

const failed = await storms(Number(values.seed), Number(values.runs));
// Explicitly: what stops PostgreSQL when the process ends would make it 0.
process.exit(failed === 0 ? 0 : 1);

async function storms(first: number, runs: number): Promise<number> {
  await using postgres = await startPostgres();
  await using database = await createDatabaseOn(postgres.url);
  await using onSqlite = await Replicas.start();
  await using onPostgres = await Replicas.start(database.url);
  let failed = 0;
  const handOvers: GroupRecorder["handOvers"] = [];
  for (let seed = first; seed < first + runs; seed++) {
    for (const replicas of [onSqlite, onPostgres]) if (!(await passes(replicas, seed, handOvers))) failed++;
  }
  for (const [loss, all] of Map.groupBy(handOvers, ({ loss }) => loss)) {
    const sorted = all.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const [p50, p99] = [0.5, 0.99].map((part) => sorted[Math.floor(sorted.length * part)]?.toFixed(0));
    print(
      `${loss}: ${all.length} hand-overs on PostgreSQL, p50 ${p50} ms, p99 ${p99} ms, most ${sorted.at(-1)?.toFixed(0)} ms`,
    );
  }
  print(`${2 * runs} storms, ${failed} failed`);
  return failed;
}

async function passes(replicas: Replicas, seed: number, handOvers: GroupRecorder["handOvers"]): Promise<boolean> {
  const began = performance.now();
  const { problems, stored, delivered, memberships, ...result } = await groupStorm(replicas, seed);
  // On SQLite the one who would take over is killed with the others.
  if (replicas.engine === "postgresql") handOvers.push(...result.handOvers);
  const took = ((performance.now() - began) / 1_000).toFixed(1);
  print(
    `seed ${seed}, ${replicas.engine}: ${stored} stored, ${delivered} delivered to ${memberships} members, ${result.handOvers.length} hand-overs, ${took} s`,
  );
  if (problems.length === 0) return true;
  print(`seed ${seed} FAILED: ${problems[0]}\n${problems.length - 1} more problems`);
  return false;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
