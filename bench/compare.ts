/**
 * The server of this checkout beside that of another one, an earlier commit for example, under the same loads in turn. The
 * ratio of the two does not depend on the machine. Brings PostgreSQL. Prints a table and writes it into
 * docs/performance.md.
 *
 *   git worktree add ../before COMMIT && (cd ../before && npm ci)
 *   npm run bench:compare -- ../before [rounds, 7 unless given] [seconds of each measurement, 2 unless given]
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { execFileSync } from "node:child_process";
import {
  CreateSessionRequestSchema,
  CreateSessionResponseSchema,
  ValidateSessionRequestSchema,
} from "../src/gen/satchel/v1/sessions_pb.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { startServer } from "../test/support/server-process.ts";
import { callsPerSecond, GrpcLoad, messagesOf } from "./support/grpc-load.ts";
import { recordSection } from "./support/record.ts";
import { type Figure, measureInRounds, rounded, type Subject } from "./support/rounds.ts";
import { Satchel } from "./support/satchel.ts";

const CALLERS = 64;
const LOGGED_IN = 100;
const READ_COUNT = 20_000;
const SIDES = ["this", "other"] as const;

const [other, rounds = "7", seconds = "2"] = process.argv.slice(2);
if (other === undefined) throw new Error("say where the other checkout is");

await using cleanUp = new AsyncDisposableStack();
const subjects: Subject[] = [];
for (const engine of ["SQLite", "PostgreSQL"]) {
  for (const side of SIDES) {
    const databaseUrl = engine === "SQLite" ? undefined : cleanUp.use(await startPostgres()).url;
    subjects.push(...(await subjectsOf(engine, side, databaseUrl)));
  }
}
const figures = await measureInRounds(inTurn(subjects), Number(rounds), (line) => process.stderr.write(`${line}\n`));
const table = ratioTable(figures);
process.stdout.write(`\n${table}\n`);
const commit = execFileSync("git", ["-C", other, "rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
await recordSection("compare", `Beside commit ${commit}, ${rounds} rounds in turn, ${seconds} s each.\n\n${table}`);

async function subjectsOf(engine: string, side: (typeof SIDES)[number], databaseUrl?: string): Promise<Subject[]> {
  const server = cleanUp.use(await startServer({ databaseUrl, checkout: side === "other" ? other : undefined }));
  const extent = { seconds: Number(seconds), readCount: READ_COUNT };
  const satchel = cleanUp.use(await Satchel.connect(engine, server, extent));
  await satchel.fill();
  const load = cleanUp.use(await GrpcLoad.connect(server.url, await server.defaultToken()));
  const all = [
    satchel.append(1, 1, 1),
    satchel.append(CALLERS, 1, 1),
    satchel.append(8, 100, 1),
    satchel.groupPages(8),
    satchel.read(),
    ...(await sessionSubjects(engine, load)),
  ];
  return all.map((subject) => ({ ...subject, name: `${subject.name.replace("Satchel on ", "")}|${side}` }));
}

async function sessionSubjects(engine: string, load: GrpcLoad): Promise<Subject[]> {
  let user = 0;
  const logIn = async (): Promise<string> => {
    const request = create(CreateSessionRequestSchema, { userId: `user-${user++}`, deviceId: "d" });
    const bytes = toBinary(CreateSessionRequestSchema, request);
    const [answer] = messagesOf(await load.call("satchel.v1.SessionService/CreateSession", bytes));
    return fromBinary(CreateSessionResponseSchema, answer ?? new Uint8Array()).token;
  };
  const requests: Uint8Array[] = [];
  for (let index = 0; index < LOGGED_IN; index++) {
    const request = create(ValidateSessionRequestSchema, { token: await logIn() });
    requests.push(toBinary(ValidateSessionRequestSchema, request));
  }
  const validate = (caller: number) =>
    load.call("satchel.v1.SessionService/ValidateSession", requests[caller % LOGGED_IN] ?? new Uint8Array());
  const timed = (name: string, call: (caller: number) => Promise<unknown>): Subject => ({
    name: `${engine}: ${name}, ${CALLERS} callers`,
    unit: "calls/s",
    measure: () => callsPerSecond(CALLERS, Number(seconds) * 1_000, call),
  });
  return [timed("ValidateSession", validate), timed("CreateSession", logIn)];
}

/** The same work of both sides, one right after the other. */
function inTurn(all: readonly Subject[]): Subject[] {
  return [...Map.groupBy(all, ({ name }) => workOf(name)).values()].flat();
}

function ratioTable(all: readonly Figure[]): string {
  const rows = [...Map.groupBy(all, ({ name }) => workOf(name))].map(([work, [here, there]]) => {
    const ratios = (here?.values ?? []).map((value, round) => value / (there?.values[round] ?? 0));
    const sorted = ratios.toSorted((a, b) => a - b);
    const [median, least, most] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted.at(-1)].map((ratio = 0) =>
      ratio.toFixed(2),
    );
    const [now, before] = [here?.median ?? 0, there?.median ?? 0].map(rounded);
    return `| ${work} | ${now} | ${before} | **${median}** | ${least} … ${most} |`;
  });
  return ["| work | this | other | ratio | least … most |", "|---|--:|--:|--:|---|", ...rows].join("\n");
}

function workOf(name: string): string {
  return name.split("|")[0] ?? name;
}
