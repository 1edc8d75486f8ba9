/**
 * Measures the server's CPU time per gRPC call when the handler does nothing. Compares Satchel's own adapter, Connect's
 * adapter, and a bare server of @grpc/grpc-js with the same messages. Each server and each client is a process of its own.
 * Prints a table and writes it into docs/performance.md.
 *
 *   npm run bench:rpc -- [rounds, 5 unless given] [seconds each, 2 unless given]
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { recordSection } from "./support/record.ts";
import { type Figure, measureInRounds } from "./support/rounds.ts";

const CALLERS = 64;
const BARE = "@grpc/grpc-js, bare";
const WAYS: readonly (readonly [name: string, ...args: string[]])[] = [
  [BARE, "grpc-js"],
  ["lean", "lean"],
  ["connect", "connect"],
  ["lean, with Satchel's interceptors", "lean", "intercepted"],
  ["connect, with Satchel's interceptors", "connect", "intercepted"],
];
const [rounds = 5, seconds = 2] = process.argv.slice(2).map(Number);

await using cleanUp = new AsyncDisposableStack();
const rates = new Map<string, number[]>();
let requestBytes = 0;
const subjects = await Promise.all(
  WAYS.map(async ([name, ...args]) => {
    const server = start("rpc-server.ts", ...args);
    const { url } = await answer<{ url: string }>(server);
    const load = start("rpc-load.ts", url, String(CALLERS));
    requestBytes = (await answer<{ bytes: number }>(load)).bytes;
    return { name, unit: "µs of CPU a call", measure: () => cpuPerCall(name, server, load) };
  }),
);
const figures = await measureInRounds(subjects, rounds, (line) => process.stdout.write(`${line}\n`));
const table = [
  "| what | CPU of the server a call, µs | least … most | calls a second of one core | of grpc-js | calls a second as measured |",
  "|---|--:|--:|--:|--:|--:|",
  ...figures.map(row),
].join("\n");
process.stdout.write(`${table}\n`);
await recordSection(
  "rpc",
  `${rounds} interleaved rounds, ${seconds} s each; ${CALLERS} unary calls at once on one connection, a request of ${requestBytes} bytes.\n\n${table}`,
);

async function cpuPerCall(name: string, server: ChildProcess, load: ChildProcess): Promise<number> {
  const before = await ask<{ cpuMicros: number }>(server, "cpu");
  const { calls, rate } = await ask<{ calls: number; rate: number }>(load, { durationMs: seconds * 1_000 });
  const after = await ask<{ cpuMicros: number }>(server, "cpu");
  rates.set(name, [...(rates.get(name) ?? []), rate]);
  return (after.cpuMicros - before.cpuMicros) / calls;
}

function row({ name, median, least, most }: Figure): string {
  const bare = figures.find((figure) => figure.name === BARE)?.median ?? Number.NaN;
  const measured = (rates.get(name) ?? []).slice(1).toSorted((a, b) => a - b);
  const rate = measured[Math.floor(measured.length / 2)] ?? 0;
  const cells = [
    name,
    `**${median.toFixed(1)}**`,
    `${least.toFixed(1)} … ${most.toFixed(1)}`,
    whole(1e6 / median),
    (bare / median).toFixed(2),
    whole(rate),
  ];
  return `| ${cells.join(" | ")} |`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Starts a child process that ends when this process ends. */
function start(file: string, ...args: readonly string[]): ChildProcess {
  const child = fork(join(import.meta.dirname, "support", file), args);
  cleanUp.defer(() => child.disconnect());
  return child;
}

function ask<T>(child: ChildProcess, question: string | object): Promise<T> {
  const answered = answer<T>(child);
  child.send(question);
  return answered;
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, "message")) as [T];
  return message;
}
