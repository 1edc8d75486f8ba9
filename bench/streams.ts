/**
 * Appends and reads, by gRPC on both engines, beside Message DB's own functions on the same PostgreSQL server. Brings the
 * server and Message DB; needs pgbench on the PATH. Prints a table and writes it into docs/performance.md.
 *
 *   npm run bench -- [rounds, 5 unless given] [seconds of each measurement, 3 unless given]
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client } from "pg";
import {
  AppendMessagesRequestSchema,
  GetCategoryMessagesRequestSchema,
  GetCategoryMessagesResponseSchema,
  ReadMessagesRequestSchema,
  ReadMessagesResponseSchema,
} from "../src/gen/satchel/v1/streams_pb.ts";
import { installMessageDb } from "../test/support/message-db.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { type ServerProcess, startServer } from "../test/support/server-process.ts";
import { callsPerSecond, GrpcLoad, messagesOf } from "./support/grpc-load.ts";
import { type InProcessStore, openInProcess } from "./support/in-process.ts";
import { pgbench } from "./support/pgbench.ts";
import { recordSection } from "./support/record.ts";
import { measureInRounds, type Subject, tableOf } from "./support/rounds.ts";

const DATA = '{"attribute":"some value","other":"another value, of 58 bytes"}';
const METADATA = '{"metaAttribute":"some meta value","correlation":"of 61 bytes"}';
const READ_COUNT = 100_000;
const PAGE = 1_000;
const MESSAGE_DB_CLIENTS = [1, 8, 32];

const [rounds = 5, seconds = 3] = process.argv.slice(2).map(Number);

await using cleanUp = new AsyncDisposableStack();
const postgres = cleanUp.use(await startPostgres());
const messageDbUrl = await createMessageDb(postgres.url);
const servers = {
  SQLite: cleanUp.use(await startServer()),
  PostgreSQL: cleanUp.use(await startServer({ databaseUrl: postgres.url })),
};

const stores = {
  SQLite: cleanUp.use(await openInProcess()),
  PostgreSQL: cleanUp.use(await openInProcess(postgres.url)),
};

const subjects: Subject[] = [];
for (const [engine, store] of Object.entries(stores)) subjects.push(...storeSubjects(engine, store));
for (const [engine, server] of Object.entries(servers)) subjects.push(...(await satchelSubjects(engine, server)));
subjects.push(...messageDbSubjects());

const figures = await measureInRounds(subjects, rounds, (line) => process.stderr.write(`${line}\n`));
const table = tableOf(figures);
process.stdout.write(`\n${table}\n`);
await recordSection(
  "streams",
  `${rounds} interleaved rounds, ${seconds} s each; clients and servers share the machine.\n\n${table}`,
);

async function satchelSubjects(engine: string, server: ServerProcess): Promise<Subject[]> {
  const load = cleanUp.use(await GrpcLoad.connect(server.url, await server.defaultToken()));
  await fill(load);
  const append = (callers: number, count: number): Subject => {
    // Without ids, which the server then makes: the same bytes can be sent again and again.
    const requests = Array.from({ length: callers }, (_, caller) => appendRequest(`bench-${caller}`, count));
    return {
      name: `Satchel on ${engine}: AppendMessages, ${count} a call, ${callers} callers, one category`,
      unit: "messages/s",
      measure: async () => {
        const call = (caller: number) =>
          load.call("satchel.v1.StreamService/AppendMessages", requests[caller] ?? new Uint8Array());
        return count * (await callsPerSecond(callers, seconds * 1_000, call));
      },
    };
  };
  return [
    append(1, 1),
    append(8, 1),
    append(64, 1),
    append(1, 100),
    append(8, 100),
    {
      name: `Satchel on ${engine}: ReadMessages of ${READ_COUNT.toLocaleString("en")}`,
      unit: "messages/s",
      measure: () => readAll(load),
    },
    {
      name: `Satchel on ${engine}: GetCategoryMessages, ${PAGE} a page, 1 caller`,
      unit: "messages/s",
      measure: () => readPages(load),
    },
  ];
}

/** What the engine does without the RPC layer, to tell where the time of a call goes. */
function storeSubjects(engine: string, store: InProcessStore): Subject[] {
  return [1, 64].map((callers) => ({
    name: `Satchel on ${engine}, without RPC: append, 1 a call, ${callers} callers, one category`,
    unit: "messages/s",
    measure: () =>
      callsPerSecond(callers, seconds * 1_000, (caller) => store.append(`bench-${caller}`, DATA, METADATA, 1)),
  }));
}

function messageDbSubjects(): Subject[] {
  const write = `SELECT write_message(gen_random_uuid()::varchar, 'bench-' || :client_id, 'SomethingHappened', '${DATA}', '${METADATA}');`;
  const read = `\\set start random(0, ${READ_COUNT - PAGE})\nSELECT * FROM get_category_messages('read', 1 + :start, ${PAGE});`;
  return [
    ...MESSAGE_DB_CLIENTS.map((clients) => ({
      name: `Message DB: write_message, ${clients} clients, one category`,
      unit: "messages/s",
      measure: () => pgbench({ databaseUrl: messageDbUrl, script: write, clients, seconds }),
    })),
    {
      name: `Message DB: get_category_messages, ${PAGE} a page, 1 client`,
      unit: "messages/s",
      measure: () => PAGE * pgbench({ databaseUrl: messageDbUrl, script: read, clients: 1, seconds }),
    },
  ];
}

/** A database with Message DB in it, which has the messages to read, and which finds its functions by search path. */
async function createMessageDb(serverUrl: string): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = "/message_store";
  const server = new Client({ connectionString: serverUrl });
  await server.connect();
  await server.query("CREATE DATABASE message_store");
  await server.query("ALTER DATABASE message_store SET search_path TO message_store, public");
  await server.end();
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await installMessageDb(client);
  await client.query(`
    INSERT INTO message_store.messages (stream_name, position, type, data, metadata)
    SELECT 'read-' || i % 100, i / 100, 'SomethingHappened', '${DATA}', '${METADATA}' FROM generate_series(0, ${READ_COUNT - 1}) i`);
  await client.query("VACUUM ANALYZE message_store.messages");
  await client.end();
  return url.href;
}

/** Appends the messages to read: 100 streams of one category. */
async function fill(load: GrpcLoad): Promise<void> {
  for (let done = 0; done < READ_COUNT; done += 1_000) {
    await load.call("satchel.v1.StreamService/AppendMessages", appendRequest(`read-${(done / 1_000) % 100}`, 1_000));
  }
}

async function readAll(load: GrpcLoad): Promise<number> {
  const request = create(ReadMessagesRequestSchema, { selector: { case: "category", value: "read" } });
  const start = performance.now();
  const answer = await load.call("satchel.v1.StreamService/ReadMessages", toBinary(ReadMessagesRequestSchema, request));
  const rate = (READ_COUNT / (performance.now() - start)) * 1_000;
  const frames = messagesOf(answer).map((bytes) => fromBinary(ReadMessagesResponseSchema, bytes).frame);
  const count = frames.reduce((sum, frame) => sum + (frame.case === "messages" ? frame.value.messages.length : 0), 0);
  if (count !== READ_COUNT) throw new Error(`read ${count} messages of ${READ_COUNT}`);
  return rate;
}

async function readPages(load: GrpcLoad): Promise<number> {
  let read = 0;
  let position = 0n;
  const start = performance.now();
  while (performance.now() - start < seconds * 1_000) {
    const request = create(GetCategoryMessagesRequestSchema, { category: "read", position, batchSize: PAGE });
    const answer = await load.call(
      "satchel.v1.StreamService/GetCategoryMessages",
      toBinary(GetCategoryMessagesRequestSchema, request),
    );
    const [page = new Uint8Array()] = messagesOf(answer);
    const { messages, hasMore } = fromBinary(GetCategoryMessagesResponseSchema, page);
    read += messages.length;
    position = hasMore ? (messages.at(-1)?.globalPosition ?? 0n) + 1n : 0n;
  }
  return (read / (performance.now() - start)) * 1_000;
}

function appendRequest(streamName: string, count: number): Uint8Array {
  const message = { type: "SomethingHappened", data: DATA, metadata: METADATA };
  const request = create(AppendMessagesRequestSchema, {
    streamName,
    messages: Array.from({ length: count }, () => message),
  });
  return toBinary(AppendMessagesRequestSchema, request);
}
