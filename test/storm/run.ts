/**
 * Storms of writers and followers, on SQLite and on PostgreSQL, of which it starts a server. Ends with 1 when a message was
 * skipped, repeated or out of order, and says by which seed.
 *
 *   npm run storm -- [--runs 50] [--seed 1]
 */
import { parseArgs } from "node:util";
import { createDatabaseOn } from "../support/database-on.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { openSite, type Site } from "./site.ts";
import { storm } from "./storm.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "50" }, seed: { type: "string", default: "1" } },
});

const failed = await storms(Number(values.seed), Number(values.runs));
// Explicitly: what stops PostgreSQL when the process ends would make it 0.
process.exit(failed === 0 ? 0 : 1);

async function storms(first: number, runs: number): Promise<number> {
  await using postgres = await startPostgres();
  await using database = await createDatabaseOn(postgres.url);
  await using onSqlite = await openSite();
  await using onPostgres = await openSite(database.url);
  let failed = 0;
  for (let seed = first; seed < first + runs; seed++) {
    for (const site of [onSqlite, onPostgres]) if (!(await passes(site, seed))) failed++;
  }
  print(`${2 * runs} storms, ${failed} failed`);
  return failed;
}

async function passes(site: Site, seed: number): Promise<boolean> {
  // Every second storm on PostgreSQL has Message DB clients in it.
  const messageDb = site.engine === "postgresql" && seed % 2 === 0;
  const began = performance.now();
  const { problems, appended, delivered, calls, fellBehind } = await storm({ site, seed, messageDb });
  const took = ((performance.now() - began) / 1_000).toFixed(1);
  const writers = messageDb ? ", with Message DB clients" : "";
  print(
    `seed ${seed}, ${site.engine}${writers}: ${appended} appended, ${delivered} delivered in ${calls} calls, fell behind ${fellBehind} times, ${took} s`,
  );
  if (problems.length === 0) return true;
  print(`seed ${seed} FAILED: ${problems[0]}\n${problems.length - 1} more problems`);
  return false;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
