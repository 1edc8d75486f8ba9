/**
 * Measures how appends and reads slow down as a namespace gets more messages, and appends as a store gets more namespaces.
 * It calls the store in one process, without RPC, because the cost of RPC depends on neither. Prints two tables. With --full
 * it goes to ten million messages, which takes half an hour and 20 GB of disk, and writes the tables and a chart into docs.
 *
 *   npm run bench:growth -- [--full]
 */
import { startPostgres } from "../test/support/postgres-server.ts";
import { recordChart } from "./support/chart.ts";
import { callsPerSecond } from "./support/grpc-load.ts";
import { type InProcessStore, openInProcess } from "./support/in-process.ts";
import { recordSection } from "./support/record.ts";
import { type Figure, measureInRounds, rounded, type Subject } from "./support/rounds.ts";
import { DATA, METADATA } from "./support/workload.ts";

const full = process.argv.includes("--full");
const SIZES = full ? [10_000, 1_000_000, 10_000_000] : [10_000, 100_000, 1_000_000];
const NAMESPACES = [1, 100, 1_000];
const ROUNDS = full ? 5 : 3;
const SECONDS = full ? 2 : 0.5;
const CALLERS = 64;
const PAGE = 1_000;

await using cleanUp = new AsyncDisposableStack();
const postgres = cleanUp.use(await startPostgres());
const engines = { SQLite: undefined, PostgreSQL: postgres.url };

const sizes: Figure[] = [];
// One engine after the other: the files of both engines together do not fit in memory, and reads would measure the disk.
for (const [engine, url] of Object.entries(engines))
  sizes.push(...(await measureInRounds(await sizeSubjects(engine, url), ROUNDS, log)));
const namespaces = await measureInRounds(await namespaceSubjects(), ROUNDS, log);
const text = [
  `Medians of ${ROUNDS} interleaved rounds, ${SECONDS} s each, ${CALLERS} callers, without RPC.`,
  ...["", table("messages in the namespace", SIZES, sizes)],
  ...["", table("namespaces with a message", NAMESPACES, namespaces)],
].join("\n");
process.stdout.write(`\n${text}\n`);
if (full) {
  await recordSection("growth", text);
  await recordChart("growth", {
    title: "Cost over size",
    x: { label: "messages in the namespace", values: SIZES },
    y: "messages a second",
    lines: lines(SIZES.length, sizes).map(([name, figures]) => ({ name, values: figures.map(({ median }) => median) })),
  });
}

/** The appends at each size, then the reads at each size: `lines` expects the figures of one kind next to each other. */
async function sizeSubjects(engine: string, url: string | undefined): Promise<Subject[]> {
  const stores: InProcessStore[] = [];
  for (const size of SIZES) {
    const store = cleanUp.use(await openInProcess(url, `size-${size}`));
    log(`filling ${engine} with ${size.toLocaleString("en")} messages`);
    await store.fill(size);
    stores.push(store);
  }
  return [
    ...stores.map((store) => ({ name: `append, ${engine}`, ...appends(store) })),
    ...stores.map((store, at) => ({ name: `read, ${engine}`, ...reads(store, SIZES[at] ?? 0) })),
  ];
}

async function namespaceSubjects(): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const [engine, url] of Object.entries(engines)) {
    for (const count of NAMESPACES) {
      const first = cleanUp.use(await openInProcess(url, `of-${count}-0`));
      log(`creating ${count} namespaces on ${engine}`);
      const others: InProcessStore[] = [];
      for (let index = 1; index < count; index++) others.push(await first.another(`of-${count}-${index}`));
      for (const store of others) await store.append("bench-0", DATA, METADATA, 1);
      subjects.push({ name: `append to one, ${engine}`, ...appends(first) });
    }
  }
  return subjects;
}

function appends(store: InProcessStore): Omit<Subject, "name"> {
  return {
    unit: "messages/s",
    measure: () =>
      callsPerSecond(CALLERS, SECONDS * 1_000, (caller) => store.append(`bench-${caller}`, DATA, METADATA, 1)),
  };
}

/** Reads pages from random positions. */
function reads(store: InProcessStore, size: number): Omit<Subject, "name"> {
  return {
    unit: "messages/s",
    measure: async () =>
      PAGE *
      (await callsPerSecond(1, SECONDS * 1_000, async () => {
        const from = 1 + Math.floor(Math.random() * (size - PAGE));
        const count = await store.readPage("fill", BigInt(from), PAGE);
        if (count !== PAGE) throw new Error(`a page has ${count} messages`);
      })),
  };
}

/** Splits the figures into kinds of work; each kind has `perKind` consecutive figures, one for each size. */
function lines(perKind: number, figures: readonly Figure[]): [name: string, figures: readonly Figure[]][] {
  return Array.from({ length: figures.length / perKind }, (_, kind) => {
    const ofKind = figures.slice(kind * perKind, (kind + 1) * perKind);
    return [ofKind[0]?.name ?? "", ofKind];
  });
}

function table(what: string, values: readonly number[], figures: readonly Figure[]): string {
  const rows = lines(values.length, figures).map(([name, ofKind]) => {
    const medians = ofKind.map(({ median }) => median);
    const change = ((medians.at(-1) ?? 0) / (medians[0] ?? 1) - 1) * 100;
    return `| ${name}, messages/s | ${medians.map(rounded).join(" | ")} | ${change > 0 ? "+" : ""}${change.toFixed(0)} % |`;
  });
  const head = values.map((value) => value.toLocaleString("en"));
  return [
    `| ${what} | ${head.join(" | ")} | from first to last |`,
    `|---|${"--:|".repeat(values.length + 1)}`,
    ...rows,
  ].join("\n");
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
