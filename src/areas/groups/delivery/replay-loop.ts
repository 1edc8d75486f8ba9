import type { ConsumerGroupId } from "../domain/consumer-groups.ts";
import type { ConsumerGroupStore } from "../store/group-store.ts";
import type { HeldPartitions } from "./held-partitions.ts";

const REPLAYS_AT_ONCE = 100;

interface ReplayContext {
  readonly groupId: ConsumerGroupId;
  readonly groups: Pick<ConsumerGroupStore, "replaying">;
  readonly partitions: HeldPartitions;
  readonly report: (error: unknown) => void;
}

/** Gives the parked messages that are to be replayed to the partitions held here. */
export class ReplayLoop {
  readonly #context: ReplayContext;
  #running: Promise<void> | undefined;
  #again = false;
  /** There may be messages to replay for which no partition had room, or that were not looked for yet. */
  #waiting = false;

  constructor(context: ReplayContext) {
    this.#context = context;
  }

  /** A partition was assigned, whose previous holder may have left messages to replay. */
  expectMore(): void {
    this.#waiting = true;
  }

  /** Runs when messages may wait and a partition has room. */
  runIfRoom(): void {
    if (this.#waiting && this.#context.partitions.all.some(({ takesReplays }) => takesReplays))
      this.run().catch((error: unknown) => this.#context.report(error));
  }

  /** Replays everything that there is room for. Only one run reads at a time: two would replay a message twice. */
  run(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #runAll(): Promise<void> {
    const { groupId, groups, partitions } = this.#context;
    while (this.#again) {
      this.#again = false;
      const held = partitions.all;
      const workers = held.filter(({ takesReplays }) => takesReplays);
      this.#waiting = workers.length < held.length;
      if (workers.length === 0) return;
      const numbers = workers.map(({ lease }) => lease.partition);
      const parked = await groups.replaying(groupId, numbers, REPLAYS_AT_ONCE);
      for (const [partition, messages] of Map.groupBy(parked, ({ partition }) => partition)) {
        await partitions.get(partition)?.replay(messages.map(({ position }) => position));
      }
      this.#again ||= parked.length > 0;
    }
  }
}
