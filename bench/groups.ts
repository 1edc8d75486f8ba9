/**
 * Measures consumer groups: the rate at which 1, 4 and 8 members consume a backlog, and the latency from an append to its
 * delivery to one of 4 members. This process is the client: it runs the members and makes the appends. Starts PostgreSQL
 * and the servers. Prints a table and writes it into docs/performance.md.
 *
 *   npm run bench:groups -- [messages of the backlog, 50,000 unless given] [seconds of live traffic, 10 unless given]
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { setTimeout as delay } from "node:timers/promises";
import {
  type CreateConsumerGroupRequest,
  CreateConsumerGroupRequestSchema,
} from "../src/gen/satchel/v1/consumer_groups_pb.ts";
import { AppendMessagesRequestSchema, AppendToStreamsRequestSchema } from "../src/gen/satchel/v1/streams_pb.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { type ServerProcess, startServer } from "../test/support/server-process.ts";
import { GroupMembers } from "./support/group-members.ts";
import { GrpcLoad } from "./support/grpc-load.ts";
import { recordSection } from "./support/record.ts";

const ENTITIES = 10_000;
const STREAMS_A_CALL = 100;
const MEMBERS = [1, 4, 8] as const;
const LIVE_MEMBERS = 4;
const MAX_IN_FLIGHT = 1_000;
const APPENDS_PER_SECOND = 500;
const TICK_MS = 1;
const SETTLE_MS = 1_000;

const [messages = 50_000, seconds = 10] = process.argv.slice(2).map(Number);

await using cleanUp = new AsyncDisposableStack();
const postgres = cleanUp.use(await startPostgres());
const rows = [
  ...(await measure("SQLite", cleanUp.use(await startServer()))),
  ...(await measure("PostgreSQL", cleanUp.use(await startServer({ databaseUrl: postgres.url })))),
];
const text = [
  `A backlog of ${messages.toLocaleString("en")} messages of ${ENTITIES.toLocaleString("en")} entities in 8 partitions; every member holds up to ${MAX_IN_FLIGHT.toLocaleString("en")} and acknowledges each batch as it comes. Then ${seconds} s of live traffic, from the call of the append to the arrival of the message. Clients and servers share the machine.`,
  [
    "| store | members | what | delivered/s | p50, ms | p99, ms | µs of CPU a delivery |",
    "|---|--:|---|--:|--:|--:|--:|",
    ...rows,
  ].join("\n"),
].join("\n\n");
process.stdout.write(`\n${text}\n`);
await recordSection("groups", text);

async function measure(store: string, server: ServerProcess): Promise<string[]> {
  const token = await server.defaultToken();
  await using load = await GrpcLoad.connect(server.url, token);
  await appendBacklog(load);
  const results: string[] = [];
  for (const members of MEMBERS) {
    await createGroup(load, `backlog-${members}`, { case: undefined });
    results.push(row(store, members, "backlog", await workOff(server, token, members)));
  }
  await createGroup(load, "live", { case: "end", value: true });
  results.push(row(store, LIVE_MEMBERS, `${APPENDS_PER_SECOND} appends/s`, await live(server, token, load)));
  return results;
}

interface Result {
  readonly perSecond: number;
  readonly cpuMicros: number | undefined;
  readonly p50?: number | undefined;
  readonly p99?: number | undefined;
}

function row(store: string, members: number, what: string, { perSecond, p50, p99, cpuMicros }: Result): string {
  const cells = [store, members, what, Math.round(perSecond).toLocaleString("en"), p50?.toFixed(1), p99?.toFixed(1)];
  const line = `| ${[...cells, cpuMicros?.toFixed(0)].map((cell) => cell ?? "").join(" | ")} |`;
  process.stderr.write(`${line}\n`);
  return line;
}

/** Appends the backlog to the entities in turn, one message at a time, so that all have the same number of messages. */
async function appendBacklog(load: GrpcLoad): Promise<void> {
  for (let appended = 0; appended < messages; appended += STREAMS_A_CALL) {
    const appends = Array.from({ length: STREAMS_A_CALL }, (_, index) => ({
      streamName: `backlog-${(appended + index) % ENTITIES}`,
      messages: [{ type: "SomethingHappened", data: '{"text": "of some length, as messages are"}' }],
    }));
    const request = create(AppendToStreamsRequestSchema, { appends });
    await load.call("satchel.v1.StreamService/AppendToStreams", toBinary(AppendToStreamsRequestSchema, request));
  }
}

async function createGroup(
  load: GrpcLoad,
  consumerGroupId: string,
  start: CreateConsumerGroupRequest["start"],
): Promise<void> {
  const category = consumerGroupId.split("-", 1)[0] ?? "";
  const request = create(CreateConsumerGroupRequestSchema, { consumerGroup: { consumerGroupId, category }, start });
  const bytes = toBinary(CreateConsumerGroupRequestSchema, request);
  await load.call("satchel.v1.ConsumerGroupService/CreateConsumerGroup", bytes);
}

async function workOff(server: ServerProcess, token: string, members: number): Promise<Result> {
  const cpuBefore = await server.cpuSeconds();
  const start = performance.now();
  const all = Promise.withResolvers<void>();
  const delivered = new Set<bigint>();
  const joined = await GroupMembers.join({
    url: server.url,
    token,
    group: `backlog-${members}`,
    members,
    maxInFlight: MAX_IN_FLIGHT,
    onDeliveries: (deliveries) => {
      for (const { message } of deliveries) delivered.add(message?.globalPosition ?? 0n);
      if (delivered.size === messages) all.resolve();
    },
  });
  await all.promise;
  const acknowledged = await joined.acknowledged();
  if (acknowledged !== messages) throw new Error(`of ${messages} messages ${acknowledged} were acknowledged`);
  const tookSeconds = (performance.now() - start) / 1_000;
  const cpuMicros = await cpuOf(server, cpuBefore, messages);
  await joined[Symbol.asyncDispose]();
  return { perSecond: messages / tookSeconds, cpuMicros };
}

async function live(server: ServerProcess, token: string, load: GrpcLoad): Promise<Result> {
  const sentMs: number[] = [];
  const latencies: number[] = [];
  await using _ = await GroupMembers.join({
    url: server.url,
    token,
    group: "live",
    members: LIVE_MEMBERS,
    maxInFlight: MAX_IN_FLIGHT,
    onDeliveries: (deliveries) => {
      const now = performance.now();
      for (const { message } of deliveries) latencies.push(now - (sentMs[Number(message?.data)] ?? Number.NaN));
    },
  });
  await delay(SETTLE_MS);
  const cpuBefore = await server.cpuSeconds();
  const start = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let sent = 0; sent < APPENDS_PER_SECOND * seconds;) {
    const due = Math.min(APPENDS_PER_SECOND * seconds, ((performance.now() - start) / 1_000) * APPENDS_PER_SECOND);
    for (; sent < due; sent++) {
      const stream = { streamName: `live-${sent % ENTITIES}`, messages: [{ type: "T", data: String(sent) }] };
      const bytes = toBinary(AppendMessagesRequestSchema, create(AppendMessagesRequestSchema, stream));
      sentMs[sent] = performance.now();
      pending.push(load.call("satchel.v1.StreamService/AppendMessages", bytes));
    }
    await delay(TICK_MS);
  }
  await Promise.all(pending);
  const tookSeconds = (performance.now() - start) / 1_000;
  await delay(SETTLE_MS);
  const sorted = latencies.toSorted((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((part) => sorted[Math.floor(sorted.length * part)]);
  return { perSecond: sorted.length / tookSeconds, p50, p99, cpuMicros: await cpuOf(server, cpuBefore, sorted.length) };
}

async function cpuOf(
  server: ServerProcess,
  before: number | undefined,
  deliveries: number,
): Promise<number | undefined> {
  const after = await server.cpuSeconds();
  return before === undefined || after === undefined ? undefined : ((after - before) * 1_000_000) / deliveries;
}
