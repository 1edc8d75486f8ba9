import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StreamName } from "../../../src/areas/streams/domain/stream-name.ts";
import { SCAN_WINDOW } from "../../../src/areas/streams/store/page.sqlite.ts";
import { streamStore } from "../../../src/areas/streams/store/stores.ts";
import type { NamespaceId } from "../../../src/kernel/namespace-id.ts";
import {
  ALL,
  append,
  message,
  NAMESPACE,
  openInMemory,
  provision,
  readAll,
  request,
  TemporaryDirectory,
} from "./support.ts";

test("hundreds of namespaces share a few open files", async () => {
  using directory = new TemporaryDirectory();
  await using engine = await directory.open({ maxOpenNamespaces: 8 });
  const ids = Array.from({ length: 200 }, (_, index) => `n${index}` as NamespaceId);
  for (const id of ids) await engine.provisionNamespace(id);
  for (const round of [0, 1]) {
    for (const id of ids) await append(streamStore(engine, id), request(`chat-${id}`, [message(`T${round}`)]));
  }
  for (const id of ids) {
    const { messages } = await readAll(streamStore(engine, id), ALL);
    expect(messages.map(({ streamName, type }) => [streamName, type])).toEqual([
      [`chat-${id}`, "T0"],
      [`chat-${id}`, "T1"],
    ]);
  }
  const logs = readdirSync(join(directory.path, "namespaces")).filter((name) => name.endsWith("-wal"));
  expect(logs.length).toBe(8);
});

test("a namespace without a file is not found, and is not created by asking", async () => {
  using directory = new TemporaryDirectory();
  await using engine = await directory.open();
  const store = streamStore(engine, NAMESPACE);
  await expect(store.page(ALL, {})).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
  await expect(store.append([request("chat-1", [message()])], { lockTimeoutMs: 0 })).rejects.toMatchObject({
    reason: "NAMESPACE_NOT_FOUND",
  });
  expect(readdirSync(join(directory.path, "namespaces"))).toEqual([]);
});

test("provisioning replaces what a crash has left half-made, and nothing that holds messages", async () => {
  using directory = new TemporaryDirectory();
  await using engine = await directory.open();
  const path = join(directory.path, "namespaces", "main.sqlite");
  writeFileSync(path, "");
  writeFileSync(`${path}-wal`, "the log of a file that is gone");
  await append(await provision(engine), request("chat-1", [message()]));
  await expect(engine.provisionNamespace(NAMESPACE)).rejects.toMatchObject({ reason: "NAMESPACE_EXISTS" });
  expect(await streamStore(engine, NAMESPACE).version("chat-1" as StreamName, {})).toBe(0n);
});

test("the log of a namespace that is gone is not taken for that of a new one", async () => {
  using directory = new TemporaryDirectory();
  await using engine = await directory.open();
  await append(await provision(engine), request("chat-1", [message()]));
  const log = join(directory.path, "namespaces", "main.sqlite-wal");
  const left = readFileSync(log);
  await engine.dropNamespace(NAMESPACE);
  writeFileSync(log, left);
  const store = await provision(engine);
  expect(await store.statistics({})).toMatchObject({ messageCount: 0n });
  expect(await store.version("chat-1" as StreamName, {})).toBeUndefined();
});

test.for(["file", ":memory:"])("a dropped namespace is gone, for a search under way too (%s)", async (place) => {
  using directory = new TemporaryDirectory();
  await using engine = await directory.open(place === "file" ? {} : { directory: place });
  const store = await provision(engine);
  for (let count = 0; count <= SCAN_WINDOW; count += 1_000) {
    await append(
      store,
      request(
        "chat-1",
        Array.from({ length: 1_000 }, () => message()),
      ),
    );
  }
  const search = store.last("chat-1" as StreamName, "Never", {});
  await engine.dropNamespace(NAMESPACE);
  await expect(search).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
  await expect(store.statistics({})).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
  await engine.dropNamespace(NAMESPACE);
  if (place === "file") expect(readdirSync(join(directory.path, "namespaces"))).toEqual([]);

  const again = await provision(engine);
  expect(await again.statistics({})).toMatchObject({ messageCount: 0n, categoryCount: 0n });
});

test("a search ends when its caller goes", async () => {
  await using engine = await openInMemory();
  const store = await provision(engine);
  for (let count = 0; count <= SCAN_WINDOW; count += 1_000) {
    await append(
      store,
      request(
        "chat-1",
        Array.from({ length: 1_000 }, () => message()),
      ),
    );
  }
  const abort = new AbortController();
  const search = store.last("chat-1" as StreamName, "Never", { signal: abort.signal });
  abort.abort(new Error("gone"));
  await expect(search).rejects.toThrow("gone");
});
