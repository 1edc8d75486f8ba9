/**
 * Measures sessions on both engines: creation, validation and refresh without RPC, creation and validation over gRPC, and
 * statistics of a million sessions. Starts PostgreSQL and the servers. Prints a table and writes it into docs/performance.md.
 *
 *   npm run bench:sessions -- [rounds, 5 unless given] [seconds of each measurement, 3 unless given] [sessions for statistics, 1,000,000]
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client } from "pg";
import {
  CreateSessionRequestSchema,
  CreateSessionResponseSchema,
  ValidateSessionRequestSchema,
} from "../src/gen/satchel/v1/sessions_pb.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { startServer } from "../test/support/server-process.ts";
import { callsPerSecond, GrpcLoad, messagesOf } from "./support/grpc-load.ts";
import { recordSection } from "./support/record.ts";
import { measureInRounds, type Subject, tableOf } from "./support/rounds.ts";
import { fillSessions } from "./support/session-filler.ts";
import { type InProcessSessions, openSessions } from "./support/session-store.ts";

const CALLERS = [1, 64];
const LOGGED_IN = 256;
const CLIENT = {
  clientType: "web",
  clientVersion: "1",
  userAgent: "bench",
  ipAddress: "203.0.113.7",
  location: "",
  deviceName: "",
};
const [rounds = 5, seconds = 3, total = 1_000_000] = process.argv.slice(2).map(Number);

await using cleanUp = new AsyncDisposableStack();
const postgres = cleanUp.use(await startPostgres());
const subjects: Subject[] = [];
for (const [engine, url] of [
  ["SQLite", undefined],
  ["PostgreSQL", await createDatabase("sessions")],
] as const) {
  subjects.push(...(await inProcessSubjects(engine, cleanUp.use(await openSessions(url)))));
}
for (const [engine, databaseUrl] of [
  ["SQLite", undefined],
  ["PostgreSQL", postgres.url],
] as const) {
  const server = cleanUp.use(await startServer({ databaseUrl }));
  subjects.push(...(await rpcSubjects(engine, await GrpcLoad.connect(server.url, await server.defaultToken()))));
}
if (total > 0) {
  for (const [engine, url] of [
    ["SQLite", undefined],
    ["PostgreSQL", await createDatabase("statistics")],
  ] as const) {
    subjects.push(await statisticsSubject(engine, cleanUp.use(await openSessions(url))));
  }
}
const figures = await measureInRounds(subjects, rounds, (line) => process.stderr.write(`${line}\n`));
const table = tableOf(figures);
process.stdout.write(`\n${table}\n`);
await recordSection(
  "sessions",
  `${rounds} interleaved rounds, ${seconds} s each; clients and servers share the machine.\n\n${table}`,
);

async function inProcessSubjects(engine: string, { sessions, caller }: InProcessSessions): Promise<Subject[]> {
  let user = 0;
  const logIn = () =>
    sessions.create(
      caller,
      {
        userId: `user-${user++}`,
        deviceId: `device-${user % 4}`,
        client: CLIENT,
        aal: 1,
        amr: ["pwd"],
        authenticateTimeMicros: undefined,
        idleTimeoutMicros: undefined,
        absoluteTimeoutMicros: undefined,
        metadata: null,
        requestId: undefined,
      },
      {},
    );
  const tokens = await Promise.all(Array.from({ length: LOGGED_IN }, async () => (await logIn()).token));
  const validate = async (index: number) => {
    const token = tokens[index % LOGGED_IN] ?? "";
    const request = {
      token,
      touch: true,
      minAal: 0,
      maxAuthenticationAgeMicros: undefined,
      deviceId: undefined,
      client: CLIENT,
    };
    const { valid } = await sessions.validate(caller, request, {});
    if (!valid) throw new Error("a good token was refused");
  };
  const refresh = async (index: number) => {
    tokens[index] = (await sessions.refresh(tokens[index] ?? "", {})).token;
  };
  return CALLERS.flatMap((callers) => [
    timed(`${engine}, without RPC: validate, ${callers} callers`, callers, validate),
    timed(`${engine}, without RPC: create, ${callers} callers`, callers, logIn),
    timed(`${engine}, without RPC: refresh, ${callers} callers`, callers, refresh),
  ]).flat();
}

async function rpcSubjects(engine: string, load: GrpcLoad): Promise<Subject[]> {
  cleanUp.use(load);
  let user = 0;
  const logIn = async () => {
    const request = create(CreateSessionRequestSchema, { userId: `user-${user++}`, deviceId: "d", client: CLIENT });
    const bytes = toBinary(CreateSessionRequestSchema, request);
    const [answer] = messagesOf(await load.call("satchel.v1.SessionService/CreateSession", bytes));
    return fromBinary(CreateSessionResponseSchema, answer ?? new Uint8Array()).token;
  };
  const requests: Uint8Array[] = [];
  for (let index = 0; index < LOGGED_IN; index++) {
    const request = create(ValidateSessionRequestSchema, { token: await logIn() });
    requests.push(toBinary(ValidateSessionRequestSchema, request));
  }
  const validate = (index: number) =>
    load.call("satchel.v1.SessionService/ValidateSession", requests[index % LOGGED_IN] ?? new Uint8Array());
  return CALLERS.flatMap((callers) => [
    timed(`${engine}, gRPC: ValidateSession, ${callers} callers`, callers, validate),
    timed(`${engine}, gRPC: CreateSession, ${callers} callers`, callers, logIn),
  ]).flat();
}

async function statisticsSubject(engine: string, opened: InProcessSessions): Promise<Subject> {
  await fillSessions(opened, total);
  return {
    name: `${engine}, without RPC: statistics of ${total.toLocaleString("en")} sessions`,
    unit: "ms",
    measure: async () => {
      const start = performance.now();
      const { total: counted } = await opened.sessions.statistics(opened.caller, 3_600_000_000n);
      if (counted !== BigInt(total)) throw new Error(`${counted} sessions were counted`);
      return performance.now() - start;
    },
  };
}

/** Two subjects of one load: calls per second, and the 99th percentile of their latency in the same round. */
function timed(name: string, callers: number, call: (index: number) => Promise<unknown>): Subject[] {
  const latencies: number[] = [];
  const measured = async (caller: number): Promise<void> => {
    const start = performance.now();
    await call(caller);
    latencies.push(performance.now() - start);
  };
  return [
    {
      name,
      unit: "calls/s",
      measure: () => {
        latencies.length = 0;
        return callsPerSecond(callers, seconds * 1_000, measured);
      },
    },
    {
      name: `${name}: the 99th percentile`,
      unit: "ms",
      measure: () => latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? 0,
    },
  ];
}

async function createDatabase(name: string): Promise<string> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  return url.href;
}
