import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SessionDeviceEntity } from "../../src/areas/sessions/store/session-device.ts";
import type { NewMessage } from "../../src/areas/streams/domain/append.ts";
import type { StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import { SatchelError } from "../../src/kernel/errors.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { statement } from "../../src/kernel/store/statement.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { tableOf } from "../../src/kernel/store/table.ts";
import type { Unit } from "../../src/kernel/store/unit.ts";
import { newUuid } from "../../src/kernel/uuid.ts";
import { ENGINES } from "../support/engines.ts";
import { openSessionServices, type SessionServices } from "../support/session-services.ts";
import { appendsOf } from "../support/stores.ts";
import { upTo } from "../support/streams.ts";

const STREAM = "$unit-1" as StreamName;
const DEVICES = tableOf(SessionDeviceEntity);
const DEVICE = {
  firstSeenTimeMicros: 1n,
  lastSeenTimeMicros: 1n,
  clientType: "",
  clientVersion: "",
  userAgent: "",
  ipAddress: "",
  location: "",
  deviceName: "",
};

function message(): NewMessage {
  return { id: newUuid(), type: "Noted", data: null, metadata: null };
}

/** State and journal of one thing. */
async function note(unit: Unit, deviceId: string): Promise<void> {
  await unit.change(DEVICES.insert(), DEVICES.values({ userId: "u", deviceId, ...DEVICE }));
  unit.journal(STREAM, [message()]);
}

describe.each(ENGINES)("units of work on %s", (engine) => {
  let services: SessionServices | undefined;
  let store: Store;
  beforeAll(async () => {
    services = await openSessionServices(engine);
    ({ store } = services);
  });
  afterAll(async () => services?.[Symbol.asyncDispose]());

  const namespace = async () => (await services!.namespace()).namespaceId;
  const devices = async (id: NamespaceId) => {
    const count = statement({ count: "integer" }, "SELECT count(*) FROM {session_devices}");
    return (await store.run(id, count, []))[0]!.count;
  };
  const messages = async (id: NamespaceId) => {
    const query = {
      selector: { kind: "stream", streamName: STREAM },
      from: 0n,
      limit: 1_000,
      maxBytes: 1_000_000,
    } as const;
    return (await streamStore(store.engine, id).page(query, {})).messages.length;
  };
  const run = (id: NamespaceId, name: string) => store.inNamespace(id, (unit) => note(unit, name));

  it("commit state and journal together, many at once", async () => {
    const id = await namespace();
    const woken: string[] = [];
    store.watch((namespaceId) => void woken.push(namespaceId ?? ""));
    await Promise.all(upTo(100).map((index) => run(id, `d${index}`)));
    expect([await devices(id), await messages(id)]).toEqual([100, 100]);
    expect(woken).toContain(id);
    expect(woken.filter((other) => other === id).length).toBeLessThan(20);
  });

  it("fail alone: one that refuses, one that breaks a constraint, and one that throws after it has written", async () => {
    const id = await namespace();
    await run(id, "taken");
    const units = upTo(20).map((index) =>
      store.inNamespace(id, async (unit) => {
        if (index === 3) throw new SatchelError("ACCESS_DENIED", "refused");
        await note(unit, index === 7 ? "taken" : `d${index}`);
        if (index === 11) throw new Error("too late");
        return index;
      }),
    );
    const results = await Promise.allSettled(units);
    const failed = results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
    expect(failed).toEqual([3, 7, 11]);
    expect([await devices(id), await messages(id)]).toEqual([18, 18]);
  });

  it("show nothing of what is not committed, and take turns with appends", async () => {
    const id = await namespace();
    const seen: number[] = [];
    const append = (index: number) => {
      const streamName = `mine-${index}` as StreamName;
      const append = { streamName, expectation: { kind: "any" } as const, messages: [message()] };
      return appendsOf(store).append(id, { appends: [append] }, {});
    };
    const unit = store.inNamespace(id, async (unit) => {
      await note(unit, "a");
      await new Promise((resolve) => setTimeout(resolve, 50));
      await note(unit, "b");
    });
    const watching = (async () => {
      for (let open = true; open;) {
        seen.push(await devices(id));
        open = seen.at(-1) !== 2;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    const outcomes = await Promise.all([...upTo(20).map(append), unit.then(() => ({ kind: "appended" }))]);
    await watching;
    expect(new Set(outcomes.map((outcome) => outcome.kind))).toEqual(new Set(["appended"]));
    expect(seen).not.toContain(1);
  });

  it("go on in more namespaces than have their files open, and end with the namespace", async () => {
    const ids: NamespaceId[] = [];
    for (const _ of upTo(8)) ids.push(await namespace());
    await Promise.all(ids.flatMap((id) => upTo(5).map((index) => run(id, `d${index}`))));
    for (const id of ids) expect([await devices(id), await messages(id)]).toEqual([5, 5]);
    await store.engine.dropNamespace(ids[0]!);
    await expect(run(ids[0]!, "x")).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
    await expect(devices(ids[0]!)).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
  });

  it("that wait are given up with their caller, and change nothing then", async () => {
    const id = await namespace();
    const stop = new AbortController();
    const first = run(id, "first");
    const second = store.inNamespace(id, (unit) => note(unit, "second"), { signal: stop.signal });
    stop.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    await first;
    await run(id, "third");
    expect(await devices(id)).toBe(2);
  });
});
