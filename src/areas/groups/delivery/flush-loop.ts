import type { ConsumerGroupId } from "../domain/consumer-groups.ts";
import type { ConsumerGroupStore } from "../store/group-store.ts";
import type { HeldPartitions } from "./held-partitions.ts";
import type { Member } from "./member.ts";
import type { PartitionWorker, PreparedSave } from "./partition-worker.ts";

/** The delay after a failure of the store. */
const RETRY_MS = 500;
const MAX_DELAY_MS = 2 ** 31 - 1;

interface FlushContext {
  readonly groupId: ConsumerGroupId;
  readonly groups: Pick<ConsumerGroupStore, "save">;
  readonly partitions: HeldPartitions;
  readonly clock: () => bigint;
  /** A partition has turned out to be under another lease. */
  readonly leaseLost: () => void;
  /** Gives up partitions that others want and of which the members here hold nothing. */
  readonly release: (drained: readonly PartitionWorker[]) => Promise<void>;
  /** Called when nothing is left to save. */
  readonly idle: () => void;
  readonly report: (error: unknown) => void;
}

/** Loads and saves the accounts of the partitions held here: the saves of all partitions are one statement. */
export class FlushLoop {
  readonly #context: FlushContext;
  #running = false;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  /** Counts the rounds, so that another partition is the first in each. */
  #round = 0;

  constructor(context: FlushContext) {
    this.#context = context;
  }

  /** A partition has something to load, save or deliver. */
  wake(): void {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    void this.#run().finally(() => {
      this.#running = false;
      if (this.#again) this.wake();
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#again) {
      this.#again = false;
      // After the I/O events of this turn, so that changes that arrived together are saved together.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        await this.#flush();
        await this.#releaseDrained();
      } catch (error) {
        this.#again = false;
        this.#wakeIn(RETRY_MS);
        this.#context.report(error);
        return;
      }
    }
    this.#context.idle();
    this.#wakeWhenDue();
  }

  async #flush(): Promise<void> {
    const { groupId, groups, partitions } = this.#context;
    await this.#load();
    const prepared = this.#prepare();
    if (prepared.size === 0) return;
    let saved: ReadonlySet<number>;
    try {
      saved = await groups.save(
        groupId,
        Array.from(prepared.values(), ({ save }) => save),
      );
    } catch (error) {
      for (const [worker, work] of prepared) worker.fail(work, error);
      throw error;
    }
    for (const [worker, work] of prepared) {
      if (saved.has(worker.lease.partition)) worker.commit(work);
      else worker.retry(work);
    }
    // Messages settled in one partition may make room for those of another.
    this.#again ||= partitions.all.some(({ stale, hasMore, member }) => stale || (hasMore && member.room > 0));
  }

  async #load(): Promise<void> {
    const { partitions, leaseLost } = this.#context;
    const stale = partitions.all.filter((worker) => worker.stale);
    const loaded = await Promise.allSettled(stale.map((worker) => worker.load()));
    let lost = false;
    for (const [index, worker] of stale.entries()) {
      const held = loaded[index];
      if (held?.status !== "fulfilled" || held.value) continue;
      if (partitions.under(worker.lease) === worker) partitions.revoke(worker);
      lost = true;
    }
    if (lost) leaseLost();
    const failed = loaded.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** Partitions of one member share its room, and take turns at being the first. */
  #prepare(): Map<PartitionWorker, PreparedSave> {
    const workers = this.#context.partitions.all;
    const first = workers.length === 0 ? 0 : this.#round++ % workers.length;
    const rooms = new Map<Member, number>();
    const prepared = new Map<PartitionWorker, PreparedSave>();
    for (const worker of [...workers.slice(first), ...workers.slice(0, first)]) {
      const { member } = worker;
      const room = rooms.get(member) ?? member.room;
      const work = worker.prepare(room);
      if (work === undefined) continue;
      rooms.set(member, room - work.deliveries.length);
      prepared.set(worker, work);
    }
    return prepared;
  }

  async #releaseDrained(): Promise<void> {
    const drained = this.#context.partitions.all.filter((worker) => worker.revoking && worker.drained);
    if (drained.length > 0) await this.#context.release(drained);
  }

  #wakeWhenDue(): void {
    const due = this.#context.partitions.all.flatMap(({ nextDue }) => nextDue ?? []);
    if (due.length === 0) return;
    const next = due.reduce((least, micros) => (micros < least ? micros : least));
    this.#wakeIn(Math.max(1, Number((next - this.#context.clock()) / 1_000n) + 1));
  }

  #wakeIn(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), Math.min(delayMs, MAX_DELAY_MS)).unref();
  }
}
