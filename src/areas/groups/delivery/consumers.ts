import { randomUUID } from "node:crypto";
import type { CallOptions } from "../../../kernel/call-options.ts";
import { fieldError, SatchelError } from "../../../kernel/errors.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Feed, StreamStore } from "../../streams/area.ts";
import type {
  Acknowledgement,
  ConsumeFrame,
  ConsumeRequest,
  ConsumerGroup,
  ConsumerGroupId,
  PartitionLease,
  RejectRequest,
} from "../domain/consumer-groups.ts";
import { groupNotFound } from "../group-not-found.ts";
import type { ConsumerGroupStore } from "../store/group-store.ts";
import { type Acknowledged, acknowledging } from "./acknowledge.ts";
import { type Change, changeStored } from "./change-stored.ts";
import { type GroupContext, GroupWorker } from "./group-worker.ts";
import { Member } from "./member.ts";
import { LEASE_MICROS } from "./membership-sync.ts";
import { type RejectedMessages, rejecting } from "./reject.ts";

/** What consumers need. */
export interface ConsumersOptions {
  readonly store: {
    streams(namespaceId: NamespaceId): Pick<StreamStore, "page" | "head" | "firstAt" | "at">;
    consumerGroups(namespaceId: NamespaceId): ConsumerGroupStore;
    /** Announces a change in these topics to watchers in every process. */
    announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void;
  };
  readonly feed: Pick<Feed, "follow">;
  readonly clock: () => bigint;
  /** Called with unexpected errors. */
  readonly report: (error: unknown) => void;
  /** How often leases are renewed and memberships are read. */
  readonly tickMs?: number | undefined;
}

/** How often leases are renewed and memberships are read, unless said otherwise. */
const TICK_MS = 1_000;
/** Settings and replays are announced when they change. Every fifth tick looks at them too, in case an announcement is lost. */
const REFRESH_TICKS = 5;
const HEARTBEAT_MS = 15_000;
/** Contains a "-", so that it is not the name of a category. */
const TOPIC = "consumer-group/";

/** The consumer groups that have members in this process. */
export class Consumers implements AsyncDisposable {
  readonly #options: ConsumersOptions;
  readonly #namespaces = new Map<NamespaceId, Map<ConsumerGroupId, GroupWorker>>();
  readonly #timer: NodeJS.Timeout;
  #ticks = 0;
  readonly #ticking = new Set<Promise<unknown>>();
  /** Namespaces whose members' leases are being renewed. */
  readonly #renewing = new Set<NamespaceId>();
  #ended: SatchelError | undefined;

  constructor(options: ConsumersOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      const ticking = this.#tick().finally(() => this.#ticking.delete(ticking));
      this.#ticking.add(ticking);
    }, options.tickMs ?? TICK_MS).unref();
  }

  /**
   * Joins a group until the signal fires or the caller stops iterating. Throws GROUP_NOT_FOUND, also when the group is
   * deleted meanwhile, STORE_UNAVAILABLE, SHUTTING_DOWN, and the signal's reason.
   */
  async *consume(
    namespaceId: NamespaceId,
    { groupId, memberName, maxInFlight }: ConsumeRequest,
    options: CallOptions,
  ): AsyncGenerator<ConsumeFrame> {
    const signal = options.signal ?? new AbortController().signal;
    const group = await this.#group(namespaceId, groupId);
    if (this.#ended !== undefined) throw this.#ended;
    const member = new Member({ memberId: randomUUID(), memberName, maxInFlight });
    member.tell({
      kind: "joined",
      memberId: member.memberId,
      acknowledgeTimeoutMicros: group.acknowledgeTimeoutMicros,
    });
    // Nothing may be awaited between this and `join`: a worker without members is closed.
    const worker = this.#workerOf(namespaceId, group);
    const leave = async (): Promise<void> => {
      await worker.leave(member);
      this.#close(namespaceId, worker);
    };
    // A caller that is gone may never ask for another frame, and then the `finally` would not run.
    const leaveSoon = (): void => void leave();
    signal.addEventListener("abort", leaveSoon, { once: true });
    try {
      await worker.join(member);
      for (;;) yield await member.next(HEARTBEAT_MS, signal);
    } finally {
      signal.removeEventListener("abort", leaveSoon);
      await leave();
    }
  }

  /** Settles messages handled under a lease, whichever process holds it. Throws GROUP_NOT_FOUND, LEASE_LOST, STORE_UNAVAILABLE. */
  async acknowledge(
    namespaceId: NamespaceId,
    groupId: ConsumerGroupId,
    lease: PartitionLease,
    acknowledgement: Acknowledgement,
  ): Promise<Acknowledged> {
    const { clock } = this.#options;
    return this.#change(namespaceId, groupId, lease, (group) => acknowledging(group, acknowledgement, clock));
  }

  /** Rejects messages that could not be handled. Throws as `acknowledge` does. */
  async reject(
    namespaceId: NamespaceId,
    groupId: ConsumerGroupId,
    lease: PartitionLease,
    request: RejectRequest,
  ): Promise<RejectedMessages> {
    const { clock } = this.#options;
    return this.#change(namespaceId, groupId, lease, (group) => rejecting(group, request, clock));
  }

  /** A group was changed, reset or deleted, or has messages to replay: every process refreshes it. */
  changed(namespaceId: NamespaceId, groupId: ConsumerGroupId): void {
    this.#options.store.announce(namespaceId, new Set([TOPIC + groupId]));
  }

  /** A change was announced. Without topics or without a namespace, anything may have changed. */
  wake(namespaceId?: NamespaceId, topics?: ReadonlySet<string>): void {
    if (topics !== undefined && ![...topics].some((topic) => topic.startsWith(TOPIC))) return;
    for (const [id, workers] of this.#namespaces) {
      if (namespaceId !== undefined && id !== namespaceId) continue;
      for (const [groupId, worker] of workers) wakeWorker(worker, TOPIC + groupId, topics);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    const error = new SatchelError("SHUTTING_DOWN", "the server is shutting down");
    this.#ended = error;
    for (const workers of this.#namespaces.values()) for (const worker of workers.values()) worker.stop(error);
    await Promise.all(this.#ticking);
  }

  /** Makes a change at the holder if it is in this process, so that it is saved together with others. */
  async #change<T>(
    namespaceId: NamespaceId,
    groupId: ConsumerGroupId,
    lease: PartitionLease,
    changeOf: (group: ConsumerGroup) => Change<T>,
  ): Promise<T> {
    const worker = this.#namespaces.get(namespaceId)?.get(groupId);
    const holder = worker?.workerOf(lease);
    if (worker !== undefined && holder !== undefined) {
      try {
        return await holder.change(changeOf(worker.group));
      } catch (error) {
        if (!(error instanceof SatchelError) || error.reason !== "LEASE_LOST") throw error;
        // The store knows whether the lease has ended, or only its holder has stopped.
      }
    }
    const { store } = this.#options;
    const groups = store.consumerGroups(namespaceId);
    const group = await this.#group(namespaceId, groupId);
    if (lease.partition >= group.partitions)
      throw fieldError("partition", `must be below ${group.partitions}, the number of the group's partitions`);
    const result = await changeStored(groups, group, lease, changeOf(group));
    store.announce(namespaceId, new Set([`${TOPIC}${groupId}/${lease.partition}`]));
    return result;
  }

  async #group(namespaceId: NamespaceId, groupId: ConsumerGroupId): Promise<ConsumerGroup> {
    const group = await this.#options.store.consumerGroups(namespaceId).get(groupId, {});
    if (group === undefined) throw groupNotFound(groupId);
    return group;
  }

  #workerOf(namespaceId: NamespaceId, group: ConsumerGroup): GroupWorker {
    const workers = this.#namespaces.get(namespaceId) ?? new Map<ConsumerGroupId, GroupWorker>();
    this.#namespaces.set(namespaceId, workers);
    const former = workers.get(group.id);
    if (former !== undefined && former.group.createTime >= group.createTime && !former.stopped) return former;
    // The group was deleted and created again.
    former?.stop(groupNotFound(group.id));
    const worker = new GroupWorker(group, this.#contextOf(namespaceId, group.id));
    workers.set(group.id, worker);
    return worker;
  }

  #contextOf(namespaceId: NamespaceId, groupId: ConsumerGroupId): GroupContext {
    const { store, feed, clock, report } = this.#options;
    return {
      namespaceId,
      groups: store.consumerGroups(namespaceId),
      streams: store.streams(namespaceId),
      feed,
      clock,
      report,
      announce: () => store.announce(namespaceId, new Set([TOPIC + groupId])),
    };
  }

  #close(namespaceId: NamespaceId, worker: GroupWorker): void {
    if (worker.memberIds.length > 0) return;
    const workers = this.#namespaces.get(namespaceId);
    const { id } = worker.group;
    if (workers?.get(id) === worker) workers.delete(id);
    if (workers?.size === 0) this.#namespaces.delete(namespaceId);
  }

  async #tick(): Promise<void> {
    const refresh = ++this.#ticks % REFRESH_TICKS === 0;
    await Promise.all([...this.#namespaces].map(([id, workers]) => this.#tickNamespace(id, workers, refresh)));
  }

  async #tickNamespace(
    namespaceId: NamespaceId,
    workers: ReadonlyMap<ConsumerGroupId, GroupWorker>,
    refresh: boolean,
  ): Promise<void> {
    // A slow store is not given a second renewal.
    if (this.#renewing.has(namespaceId)) return;
    this.#renewing.add(namespaceId);
    const groups = this.#options.store.consumerGroups(namespaceId);
    const memberIds = [...workers.values()].flatMap((worker) => worker.memberIds);
    try {
      const renewed = await groups.renew(memberIds, LEASE_MICROS).finally(() => this.#renewing.delete(namespaceId));
      const ticks = await Promise.allSettled([...workers.values()].map((worker) => worker.tick(renewed, refresh)));
      for (const tick of ticks) if (tick.status === "rejected") throw tick.reason;
    } catch (error) {
      if (!(error instanceof SatchelError)) this.#options.report(error);
      else if (error.reason === "NAMESPACE_NOT_FOUND") for (const worker of workers.values()) worker.stop(error);
      // Otherwise the store is unavailable: the next tick tries again.
    }
  }
}

function wakeWorker(worker: GroupWorker, topic: string, topics: ReadonlySet<string> | undefined): void {
  if (topics === undefined || topics.has(topic)) worker.refreshSoon();
  for (const { partition } of worker.leases) {
    if (topics === undefined || topics.has(`${topic}/${partition}`)) worker.suspect(partition);
  }
}
