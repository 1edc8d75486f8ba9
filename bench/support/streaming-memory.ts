import { type ServerProcess, startServer } from "../../test/support/server-process.ts";
import { type Extent, Satchel } from "./satchel.ts";

const SAMPLE_MS = 50;
const MOST_MIB = 64;

/**
 * Measures how much resident memory grows while a server streams all messages to one reader. Starts a new server for it, on
 * the database and directory of the given one. Returns the result as a sentence.
 */
export async function streamingMemory(
  databaseUrl: string,
  { directory }: ServerProcess,
  extent: Extent,
): Promise<string> {
  await using server = await startServer({ databaseUrl, directory });
  await using satchel = await Satchel.connect("PostgreSQL", server, extent);
  const idle = await server.residentMib();
  if (idle === undefined) return "The memory of a server cannot be measured here.";
  let most = idle;
  const sampling = setInterval(() => {
    void server.residentMib().then((now) => (most = Math.max(most, now ?? 0)));
  }, SAMPLE_MS);
  await satchel.readAll();
  clearInterval(sampling);
  const more = most - idle;
  const verdict = more <= MOST_MIB ? "which is met" : "which is **not met**";
  const count = extent.readCount.toLocaleString("en");
  return `While a server on PostgreSQL streams ${count} messages, it takes ${more.toFixed(0)} MiB more than before; the target is ${MOST_MIB} MiB at most, ${verdict}.`;
}
