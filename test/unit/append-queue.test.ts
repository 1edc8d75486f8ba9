import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { AppendOutcome, AppendRequest } from "../../src/areas/streams/domain/append.ts";
import type { StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { AppendQueue, type AppendQueueOptions } from "../../src/areas/streams/store/append-queue.ts";
import { BUSY, type LockWait, type StreamEngine } from "../../src/areas/streams/store/stream-engine.ts";
import { SatchelError, storeUnavailable } from "../../src/kernel/errors.ts";
import type { Uuid } from "../../src/kernel/uuid.ts";

const OPTIONS: AppendQueueOptions = {
  maxMessages: 1_000,
  maxBytes: 1_000_000,
  maxCategories: 64,
  maxQueued: 1_000,
  lockTimeoutMs: 50,
  maxLockWaiters: 2,
};

type Answer = readonly (AppendOutcome | typeof BUSY)[];

describe("AppendQueue", () => {
  it("sends together what has queued while a batch was under way", async () => {
    const store = new FakeStore();
    const queue = queueOf(store);
    const first = queue.append(request("a-1"), {});
    await store.called(1);
    const later = Array.from({ length: 10 }, (_, index) => queue.append(request(`a-${index}`), {}));
    await settle();
    expect(store.batches).toHaveLength(1);
    store.release();
    await Promise.all([first, ...later]);
    expect(store.batches.map(({ length }) => length)).toEqual([1, 10]);
    expect(queue.idle).toBe(true);
  });

  it("sends together what comes in one turn", async () => {
    const store = new FakeStore({ held: false });
    const queue = queueOf(store);
    await Promise.all(Array.from({ length: 100 }, (_, index) => queue.append(request(`a-${index}`), {})));
    expect(store.batches.map(({ length }) => length)).toEqual([100]);
  });

  it("sends a batch before the one ahead of it is answered, where the store takes that, and no more than it takes", async () => {
    const store = new FakeStore({ maxBatches: 2 });
    const queue = queueOf(store);
    const appends = Array.from({ length: 50 }, (_, index) => queue.append(request(`a-${index}`), {}));
    await settle();
    expect(store.batches.map(({ length }) => length)).toEqual([25, 25]);
    appends.push(...Array.from({ length: 50 }, (_, index) => queue.append(request(`a-${index}`), {})));
    await settle();
    expect(store.batches).toHaveLength(2);
    expect(queue.idle).toBe(false);
    store.release();
    await Promise.all(appends);
    expect(store.batches.flat()).toHaveLength(100);
    expect(queue.idle).toBe(true);
  });

  it("waits behind a batch with what is not worth a commit yet", async () => {
    const store = new FakeStore({ maxBatches: 2 });
    const queue = queueOf(store);
    const append = (): Promise<AppendOutcome> => queue.append(request("a-1"), {});
    const appends = Array.from({ length: 10 }, append);
    await settle();
    for (let waiting = 1; waiting < 5; waiting++) {
      appends.push(append());
      await settle();
      expect(store.batches).toHaveLength(1);
    }
    appends.push(append());
    await settle();
    expect(store.batches.map(({ length }) => length)).toEqual([10, 5]);
    store.release();
    await Promise.all(appends);
  });

  it("tells once of each batch to which categories it has appended", async () => {
    const store = new FakeStore({
      held: false,
      answer: (batch) => batch.map((one) => (streamOf(one) === "bad-1" ? conflict : appended(one))),
    });
    const told: string[][] = [];
    const queue = new AppendQueue(store.stream, OPTIONS, (categories) => told.push([...categories]));
    await Promise.all(["a-1", "bad-1", "b-1", "a-2"].map((name) => queue.append(request(name), {})));
    await queue.append(request("bad-1"), {});
    expect(told).toEqual([["a", "b"]]);
  });

  it("gives everyone their own outcome", async () => {
    const store = new FakeStore({
      held: false,
      answer: (batch) => batch.map((one) => (streamOf(one) === "bad-1" ? conflict : appended(one))),
    });
    const queue = queueOf(store);
    const names = ["a-1", "bad-1", "b-1"];
    const outcomes = await Promise.all(names.map((name) => queue.append(request(name), {})));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["appended", "conflict", "appended"]);
  });

  it("tries one by one when a batch fails for a reason of one of them", async () => {
    const bad = new SatchelError("INTERNAL", "cannot be stored");
    const store = new FakeStore({
      held: false,
      answer: (batch) => {
        if (batch.some((one) => streamOf(one) === "bad-1")) throw bad;
        return batch.map(appended);
      },
    });
    const queue = queueOf(store);
    const outcomes = await Promise.allSettled(["a-1", "bad-1", "b-1"].map((name) => queue.append(request(name), {})));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: bad });
  });

  it("does not try again when the store is away: nobody knows what has been written", async () => {
    const store = new FakeStore({
      held: false,
      answer: () => {
        throw storeUnavailable(new Error("gone"));
      },
    });
    const queue = queueOf(store);
    const outcomes = await Promise.allSettled(["a-1", "b-1"].map((name) => queue.append(request(name), {})));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(store.batches).toHaveLength(1);
  });

  it("fails a call whose answer the store forgets", async () => {
    const store = new FakeStore({ held: false, answer: () => [] });
    await expect(queueOf(store).append(request("a-1"), {})).rejects.toThrow("not answered");
  });

  it("lets others pass while one waits for a lock, and tries it again with patience", async () => {
    const store = new FakeStore({
      held: false,
      answer: async (batch, { lockTimeoutMs }) => {
        if (lockTimeoutMs > 0) await setTimeout(30);
        return batch.map((one) => (streamOf(one) === "locked-1" && lockTimeoutMs === 0 ? BUSY : appended(one)));
      },
    });
    const queue = queueOf(store);
    const finished: string[] = [];
    await Promise.all(
      ["locked-1", "a-1", "b-1"].map((name) => queue.append(request(name), {}).then(() => finished.push(name))),
    );
    expect(finished).toEqual(["a-1", "b-1", "locked-1"]);
    expect(store.waits).toEqual([0, OPTIONS.lockTimeoutMs]);
    expect(queue.idle).toBe(true);
  });

  it("keeps trying while the lock is held, with no more waiters in the store than allowed", async () => {
    let waiting = 0;
    let most = 0;
    let tries = 0;
    const store = new FakeStore({
      held: false,
      answer: async (batch, { lockTimeoutMs }) => {
        if (lockTimeoutMs === 0) return batch.map(() => BUSY);
        most = Math.max(most, ++waiting);
        await setTimeout(5);
        waiting--;
        return ++tries <= 6 ? batch.map(() => BUSY) : batch.map(appended);
      },
    });
    const queue = queueOf(store);
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, (_, index) => queue.append(request(`a-${index}`), {})),
    );
    expect(outcomes.every(({ kind }) => kind === "appended")).toBe(true);
    expect(most).toBe(OPTIONS.maxLockWaiters);
  });

  it("ends every call of a caller who goes, and never sends what was still queued", async () => {
    const store = new FakeStore();
    const queue = queueOf(store);
    const caller = new AbortController();
    const sent = queue.append(request("a-1"), { signal: caller.signal });
    await store.called(1);
    const queued = queue.append(request("b-1"), { signal: caller.signal });
    const neighbour = queue.append(request("c-1"), {});
    const ended = Promise.allSettled([sent, queued]);
    caller.abort(new Error("gone"));
    expect(await ended).toMatchObject([{ reason: { message: "gone" } }, { reason: { message: "gone" } }]);
    store.release();
    await expect(neighbour).resolves.toMatchObject({ kind: "appended" });
    expect(store.batches.flat().map(streamOf)).toEqual(["a-1", "c-1"]);
  });

  it("never sends again what was cancelled while it waited for a lock", async () => {
    const caller = new AbortController();
    const store = new FakeStore({
      held: false,
      answer: async (batch, { lockTimeoutMs }) => {
        if (lockTimeoutMs > 0) await setTimeout(10);
        if (lockTimeoutMs > 0) caller.abort(new Error("gone"));
        return batch.map(() => BUSY);
      },
    });
    const queue = queueOf(store);
    await expect(queue.append(request("a-1"), { signal: caller.signal })).rejects.toThrow("gone");
    await settle();
    expect(queue.idle).toBe(true);
  });

  it("refuses more than may wait", async () => {
    const store = new FakeStore();
    const queue = queueOf(store, { maxQueued: 3 });
    const first = queue.append(request("a-0"), {});
    await store.called(1);
    const waiting = [1, 2, 3].map((index) => queue.append(request(`a-${index}`), {}));
    await expect(queue.append(request("a-4"), {})).rejects.toMatchObject({
      reason: "LIMIT_EXCEEDED",
      facts: [{ metadata: { limit: "max_queued_appends", maximum: "3" } }],
    });
    store.release();
    await Promise.all([first, ...waiting]);
  });

  it("keeps the order of appends to one stream", async () => {
    const store = new FakeStore({ held: false });
    const queue = queueOf(store, { maxMessages: 3 });
    await Promise.all(Array.from({ length: 10 }, (_, index) => queue.append(request("a-1", `${index}`), {})));
    expect(store.batches.flat().map(({ appends }) => appends[0]?.messages[0]?.id)).toEqual(
      Array.from({ length: 10 }, (_, index) => `${index}`),
    );
  });
});

function queueOf(store: FakeStore, options: Partial<AppendQueueOptions> = {}): AppendQueue {
  return new AppendQueue(store.stream, { ...OPTIONS, ...options }, () => undefined);
}

interface FakeOptions {
  readonly maxBatches?: number;
  /** Calls wait for `release`. */
  readonly held?: boolean;
  readonly answer?: (batch: readonly AppendRequest[], wait: LockWait) => Answer | Promise<Answer>;
}

/** A store that writes nothing and answers as it is told. */
class FakeStore {
  readonly batches: (readonly AppendRequest[])[] = [];
  readonly waits: number[] = [];
  readonly #maxBatches: number;
  readonly #answer: NonNullable<FakeOptions["answer"]>;
  readonly #gate = Promise.withResolvers<void>();

  constructor({ maxBatches = 1, held = true, answer = (batch) => batch.map(appended) }: FakeOptions = {}) {
    this.#maxBatches = maxBatches;
    this.#answer = answer;
    if (!held) this.release();
  }

  get stream(): Pick<StreamEngine, "append" | "maxBatches"> {
    const append: StreamEngine["append"] = async (batch, wait) => {
      this.batches.push(batch);
      this.waits.push(wait.lockTimeoutMs);
      await this.#gate.promise;
      return this.#answer(batch, wait);
    };
    return { append, maxBatches: this.#maxBatches };
  }

  release(): void {
    this.#gate.resolve();
  }

  async called(times: number): Promise<void> {
    while (this.batches.length < times) await settle();
  }
}

const conflict: AppendOutcome = { kind: "conflict", conflicts: [] };

function request(streamName: string, id: string = crypto.randomUUID()): AppendRequest {
  const messages = [{ id: id as Uuid, type: "T", data: null, metadata: null }];
  return { appends: [{ streamName: streamName as StreamName, expectation: { kind: "any" }, messages }] };
}

function appended({ appends }: AppendRequest): AppendOutcome {
  return {
    kind: "appended",
    appends: appends.map(({ messages }) =>
      messages.map(({ id }) => ({ id, position: 0n, globalPosition: 1n, deduplicated: false })),
    ),
  };
}

function streamOf({ appends }: AppendRequest): string {
  return appends[0]!.streamName;
}

async function settle(): Promise<void> {
  await setTimeout(1);
}
