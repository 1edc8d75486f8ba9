import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
// Outside of this repository: from "@satchel/client".
import { createClient, type SatchelClient, type StreamMessage } from "../../clients/typescript/src/index.ts";
import { type Commit, readCommits } from "./git-log.ts";
import { load } from "./load.ts";
import { longestStreams, readAsGroup, readCategory } from "./report.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const DEFAULT_URL = "http://127.0.0.1:4600";
const TOKEN_FILE = join(ROOT, "data", "default-token");
const TOP_AUTHORS = 10;
const GROUP_SIZE = 4;

const USAGE = `usage: node examples/git-history/main.ts [<path-to-repository>] [--url <url> --token <token>]

Loads the commits of a git repository (unless said: this one) into Satchel, and reads them back.
Unless said, the server is ${DEFAULT_URL} and the token is in data/default-token.`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { url: { type: "string" }, token: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true || positionals.length > 1) return console.log(USAGE);
  const baseUrl = values.url ?? DEFAULT_URL;
  const token = values.token ?? (await readFile(TOKEN_FILE, "utf8")).trim();
  using client = createClient({ baseUrl, token });
  await run(client, positionals[0] ?? ROOT);
}

async function run(client: SatchelClient, repository: string): Promise<void> {
  const { version, engine } = await client.serverInfo();
  console.log(`Satchel ${version} on ${engine}`);

  const loaded = await timed(() => load(client, readCommits(repository)));
  const { commits, added, batches } = loaded.result;
  console.log(`\nloaded ${repository}: ${count(commits)} commits in ${count(batches)} transactions, ${loaded.took}`);
  console.log(`  ${count(added)} added, ${count(commits - added)} were there already`);

  const category = await timed(() => readCategory(client));
  console.log(`\nby category: ${count(category.result.count)} messages, ${category.took}`);
  console.log(`  first  ${describe(category.result.first)}\n  last   ${describe(category.result.last)}`);

  const authors = await timed(() => longestStreams(client, TOP_AUTHORS));
  console.log(`\nby author: ${count(authors.result.streams)} streams, ${authors.took}`);
  for (const { streamName, messageCount, version: at } of authors.result.longest) {
    console.log(`  ${count(messageCount).padStart(9)}  version ${String(at).padEnd(8)} ${streamName}`);
  }

  const group = await timed(() => readAsGroup(client, GROUP_SIZE));
  const total = group.result.reduce((sum, share) => sum + share, 0);
  console.log(`\nby consumer group of ${GROUP_SIZE}: ${count(total)} messages, ${group.took}`);
  for (const [member, share] of group.result.entries()) console.log(`  member ${member}  ${count(share).padStart(9)}`);
  if (total !== category.result.count) {
    throw new Error(`the members have ${total} messages together, the category has ${category.result.count}`);
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly took: string }> {
  const start = performance.now();
  const result = await work();
  return { result, took: `${((performance.now() - start) / 1_000).toFixed(2)} s` };
}

function count(value: number | bigint): string {
  return value.toLocaleString("en-US");
}

function describe(message: StreamMessage | undefined): string {
  if (message === undefined) return "-";
  const { hash, time, subject } = message.json() as Commit;
  return `${hash.slice(0, 10)}  ${time}  ${subject}`;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
}
