import Database from "better-sqlite3";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { execPath, pid } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { findToken } from "../../../src/areas/namespaces/store/find-token.ts";
import { NamespaceEntity } from "../../../src/areas/namespaces/store/namespace.ts";
import { TokenEntity } from "../../../src/areas/namespaces/store/token.ts";
import { streamStore } from "../../../src/areas/streams/store/stores.ts";
import { configure } from "../../../src/kernel/store/engines/sqlite/database.ts";
import { translateSqliteError } from "../../../src/kernel/store/engines/sqlite/errors.ts";
import { newUuid } from "../../../src/kernel/uuid.ts";
import { storeOn } from "../../support/stores.ts";
import { BATCH_MESSAGES } from "./append-until-killed.ts";
import { ALL, append, message, NAMESPACE, provision, readAll, request, TemporaryDirectory } from "./support.ts";

test("a directory has one owner, which a second one is told, and is free when the owner closes", async () => {
  using directory = new TemporaryDirectory();
  const owner = await directory.open();
  await expect(directory.open()).rejects.toMatchObject({
    reason: "STORE_UNAVAILABLE",
    message: expect.stringContaining(`${directory.path} is in use by process ${pid} on ${hostname()}`),
  });
  await owner[Symbol.asyncDispose]();
  await expect(streamStore(owner, NAMESPACE).page(ALL, {})).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  await expect(owner.ping({})).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  await using _ = await directory.open();
});

test("what a dead owner has left does not keep a new one out", async () => {
  using directory = new TemporaryDirectory();
  writeFileSync(join(directory.path, "lock.json"), JSON.stringify({ pid, host: hostname() }));
  writeFileSync(join(directory.path, "lock.sqlite"), "");
  await using engine = await directory.open();
  await engine.ping({});
});

test("an opening that fails leaves the directory free", async () => {
  using directory = new TemporaryDirectory();
  writeFileSync(join(directory.path, "satchel.sqlite"), "this is not a database, whatever its name may say".repeat(30));
  await expect(directory.open()).rejects.toMatchObject({ reason: "INTERNAL" });
  await expect(directory.open()).rejects.toMatchObject({ reason: "INTERNAL" });
  expect(existsSync(join(directory.path, "lock.json"))).toBe(false);
});

test("files and directories are for their owner alone", async () => {
  using directory = new TemporaryDirectory();
  const nested = join(directory.path, "new");
  await using engine = await directory.open({ directory: nested });
  await append(await provision(engine), request("chat-1", [message()]));
  const mode = (...path: string[]) => (statSync(join(nested, ...path)).mode & 0o777).toString(8);
  expect([mode(), mode("namespaces")]).toEqual(["700", "700"]);
  const files = ["satchel.sqlite", "satchel.sqlite-wal", "lock.sqlite", "lock.json"];
  const modes = [...files, "namespaces/main.sqlite", "namespaces/main.sqlite-wal"].map((file) => mode(file));
  expect(new Set(modes)).toEqual(new Set(["600"]));
});

test("a connection waits for the disk at every commit", () => {
  using directory = new TemporaryDirectory();
  const database = new Database(join(directory.path, "any.sqlite"));
  configure(database);
  const pragma = (name: string) => database.pragma(name, { simple: true });
  expect([pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")]).toEqual(["wal", 2, 1]);
  database.close();
});

test("after kill -9 every acknowledged message is there once, no batch in part, and the directory is free", async () => {
  using directory = new TemporaryDirectory();
  const script = fileURLToPath(new URL("append-until-killed.ts", import.meta.url));
  const child = spawn(execPath, [script, directory.path], { stdio: ["ignore", "pipe", "inherit"] });
  const acknowledged: string[] = [];
  try {
    for await (const line of createInterface(child.stdout)) {
      if (acknowledged.length === 0) {
        await expect(directory.open()).rejects.toThrow(`is in use by process ${child.pid} on`);
      }
      acknowledged.push(...line.split(" "));
      if (acknowledged.length > 3_000) child.kill("SIGKILL");
    }
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  expect(child.signalCode).toBe("SIGKILL");

  await using engine = await directory.open();
  const store = streamStore(engine, NAMESPACE);
  const { messages } = await readAll(store, ALL);
  const stored = new Set(messages.map(({ id }) => id));
  expect(stored.size).toBe(messages.length);
  expect(acknowledged.filter((id) => !stored.has(id as never))).toEqual([]);
  expect(messages.length % BATCH_MESSAGES).toBe(0);
  expect(await store.categories({ prefix: "", limit: 10 }, {})).toEqual([
    {
      category: "chat",
      messageCount: BigInt(messages.length),
      streamCount: 7n,
      lastGlobalPosition: messages.at(-1)?.globalPosition,
    },
  ]);
});

test("a token is found as it was committed", async () => {
  using directory = new TemporaryDirectory();
  await using engine = await directory.open();
  const times = { createTimeMicros: 1n, updateTimeMicros: 1n };
  const token = {
    id: "t",
    namespaceId: NAMESPACE,
    hash: Buffer.from([1, 255]),
    role: "writer",
    description: "",
  } as const;
  await engine.orm.em.fork().transactional(async (em) => {
    em.create(NamespaceEntity, { id: NAMESPACE, description: "", state: "active", ...times });
    em.create(TokenEntity, {
      ...token,
      createTimeMicros: 1n,
      expireTimeMicros: 1_763_665_799_123_456n,
      revokeTimeMicros: null,
    });
    await em.flush();
    expect(await findToken(storeOn(engine), "t")).toBeUndefined();
  });
  const found = {
    tokenId: "t",
    namespaceId: NAMESPACE,
    hash: token.hash,
    role: "writer",
    expireTimeMicros: 1_763_665_799_123_456n,
  };
  expect(await findToken(storeOn(engine), "t")).toEqual({ ...found, revoked: false, active: true });
  await engine.orm.em.fork().nativeUpdate(TokenEntity, "t", { revokeTimeMicros: 2n });
  await engine.orm.em.fork().nativeUpdate(NamespaceEntity, NAMESPACE, { state: "deleting" });
  expect(await findToken(storeOn(engine), "t")).toEqual({ ...found, revoked: true, active: false });

  const twice = engine.orm.em
    .fork()
    .insert(NamespaceEntity, { id: NAMESPACE, description: "", state: "active", ...times });
  expect(engine.translateError(await twice.catch((error: unknown) => error))).toMatchObject({
    reason: "NAMESPACE_EXISTS",
  });
});

test.for([
  ["SQLITE_FULL", "STORE_UNAVAILABLE", /disk is full/],
  ["SQLITE_IOERR_FSYNC", "STORE_UNAVAILABLE", /disk/],
  ["SQLITE_BUSY_SNAPSHOT", "STORE_UNAVAILABLE", /locked/],
  ["SQLITE_CANTOPEN", "STORE_UNAVAILABLE", /opened/],
  ["SQLITE_CORRUPT", "INTERNAL", /SQLITE_CORRUPT/],
] as const)("%s is %s", ([code, reason, text]) => {
  const error = new Database.SqliteError(newUuid(), code);
  expect(translateSqliteError(error)).toMatchObject({ reason, message: expect.stringMatching(text), cause: error });
});
