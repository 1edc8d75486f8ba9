import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { retentionStore } from "../../src/areas/streams/store/stores.ts";
import { openPostgresNamespace, NAMESPACE } from "../support/postgres-namespace.ts";

const WRITE = "SELECT write_message(gen_random_uuid()::varchar, $1, 'T', '{}', NULL, $2) AS position";
const VERSION = "SELECT stream_version($1) AS version";
const MAX_MESSAGES = 100;

/** A Message DB client's role, with the grants it was given before streams could be removed. */
async function open() {
  const namespace = await openPostgresNamespace();
  const replica = await namespace.replica();
  const client = await namespace.client();
  const role = `mdb_${randomBytes(6).toString("hex")}`;
  const schema = `"ns_${NAMESPACE}"`;
  await client.query(`
    CREATE ROLE ${role};
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT SELECT, INSERT ON messages TO ${role};
    GRANT USAGE, SELECT ON SEQUENCE messages_global_position_seq TO ${role};
    SET ROLE ${role};`);
  return {
    retention: retentionStore(replica.engine, NAMESPACE),
    append: replica.append,
    version: async (stream: string) => (await client.query(VERSION, [stream])).rows[0].version as string | null,
    write: async (stream: string, expected: number | null = null) =>
      (await client.query(WRITE, [stream, expected])).rows[0].position as string,
    async [Symbol.asyncDispose]() {
      await client.query(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role};`);
      await namespace[Symbol.asyncDispose]();
    },
  };
}

const deletion = (streamName: string, tombstone: boolean) => ({
  streamName: streamName as StreamName,
  tombstone,
  expectedVersion: undefined,
  maxMessages: MAX_MESSAGES,
});

test("a Message DB client goes on with the version of a truncated stream", async () => {
  await using namespace = await open();
  for (const position of ["0", "1", "2"]) expect(await namespace.write("a-1")).toBe(position);
  await namespace.retention.truncate("a", new Map([["a-1" as StreamName, 9n]]), MAX_MESSAGES, {});
  expect(await namespace.version("a-1")).toBe("2");
  await expect(namespace.write("a-1", -1)).rejects.toThrow(
    "Wrong expected version: -1 (Stream: a-1, Stream Version: 2)",
  );
  expect(await namespace.write("a-1", 2)).toBe("3");
  expect(await namespace.version("a-1")).toBe("3");
});

test.each([null, -1, 2])("a Message DB client that expects %s creates a deleted stream again", async (expected) => {
  await using namespace = await open();
  await namespace.append("a-1", { count: 3 });
  await namespace.retention.deleteStream(deletion("a-1", false), {});
  expect(await namespace.version("a-1")).toBeNull();
  await expect(namespace.write("a-1", 1)).rejects.toThrow(
    "Wrong expected version: 1 (Stream: a-1, Stream Version: -1)",
  );
  expect(await namespace.write("a-1", expected)).toBe("3");
});

test("a Message DB client cannot write to a stream that was deleted for good", async () => {
  await using namespace = await open();
  await namespace.append("a-1", { count: 3 });
  for (const name of ["a-1", "a-2"]) {
    await namespace.retention.deleteStream(deletion(name, true), {});
    for (const expected of [null, -1, 2]) {
      await expect(namespace.write(name, expected)).rejects.toThrow(`Stream is deleted: ${name}`);
    }
    expect(await namespace.version(name)).toBeNull();
  }
  expect(await namespace.write("a-3")).toBe("0");
});
