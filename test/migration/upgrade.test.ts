import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { AnyEngine } from "../../src/kernel/store/engines/any-engine.ts";
import { newUuid } from "../../src/kernel/uuid.ts";
import { openAs, STORE_ENGINES, type StoreEngine } from "./open-as.ts";
import { createStore, type TestStore } from "./stores.ts";

const OLD = ["one", "two", "three", "four"] as NamespaceId[];
const FRESH = "fresh" as NamespaceId;
const STREAM = "chat-1" as StreamName;
const SCRIPT = fileURLToPath(new URL("migrate-process.ts", import.meta.url));

/** A store of this release, with namespaces of one message each. */
async function createWithNamespaces(engine: StoreEngine): Promise<TestStore> {
  const store = await createStore(engine);
  await using opened = await openAs("this", engine, store.place);
  for (const id of OLD) {
    await opened.transact((em) => opened.provisionNamespace(id, em));
    await append(opened, id);
  }
  return store;
}

async function append(opened: AnyEngine, id: NamespaceId): Promise<void> {
  const messages = [{ id: newUuid(), type: "Said", data: "{}", metadata: null }];
  const appends = [{ streamName: STREAM, expectation: { kind: "any" } as const, messages }];
  const [outcome] = await streamStore(opened, id).append([{ appends }], { lockTimeoutMs: 0 });
  expect(outcome?.kind).toBe("appended");
}

async function expectUpgraded(store: TestStore): Promise<void> {
  for (const id of OLD) {
    expect(await store.rows(id, "SELECT note FROM messages")).toEqual([{ note: null }]);
    expect(await store.rows(id, "SELECT id, kind FROM notes")).toEqual([]);
  }
}

describe.for(STORE_ENGINES)("%s", (engine) => {
  test("a later release adds a step and an area to every namespace, and the server goes on with what is there", async () => {
    await using store = await createWithNamespaces(engine);
    await (await openAs("next", engine, store.place))[Symbol.asyncDispose]();
    await expectUpgraded(store);
    await using opened = await openAs("next", engine, store.place);
    await opened.transact((em) => opened.provisionNamespace(FRESH, em));
    for (const id of [...OLD, FRESH]) await append(opened, id);
    for (const id of OLD) expect(await streamStore(opened, id).version(STREAM, {})).toBe(1n);
    expect(await streamStore(opened, FRESH).version(STREAM, {})).toBe(0n);
    expect(await store.rows(FRESH, "SELECT id, kind FROM notes")).toEqual([]);
  });

  test("a server of this release refuses the store of a later one", async () => {
    await using store = await createWithNamespaces(engine);
    await (await openAs("next", engine, store.place))[Symbol.asyncDispose]();
    await expect(openAs("this", engine, store.place)).rejects.toMatchObject({
      reason: "SCHEMA_OUT_OF_DATE",
      message: expect.stringContaining("this server knows"),
    });
    await expectUpgraded(store);
    await (await openAs("next", engine, store.place))[Symbol.asyncDispose]();
  });

  test("two processes that start at once both find the store upgraded", async () => {
    await using store = await createWithNamespaces(engine);
    const ends = [1, 2].map(async () => {
      const child = spawn(execPath, [SCRIPT, engine, store.place], { stdio: ["ignore", "inherit", "inherit"] });
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    });
    expect(await Promise.all(ends)).toEqual([0, 0]);
    await expectUpgraded(store);
  });
});
