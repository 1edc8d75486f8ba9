import type { CallOptions } from "../../kernel/call-options.ts";
import { type Clock, systemClock } from "../../kernel/clock.ts";
import { limitExceeded, SatchelError } from "../../kernel/errors.ts";
import { type Limits, wireName } from "../../kernel/limits.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { Category } from "../streams/area.ts";
import type { Consumers } from "./delivery/consumers.ts";
import type {
  Acknowledgement,
  ConsumeFrame,
  ConsumeRequest,
  ConsumerGroup,
  ConsumerGroupId,
  GroupSettings,
  PartitionLease,
  RejectRequest,
} from "./domain/consumer-groups.ts";
import { type GroupStart, type NewGroup, sameGroup } from "./domain/group-settings.ts";
import { groupNotFound } from "./group-not-found.ts";
import { getGroup, type GroupSource, type GroupStreams } from "./group-source.ts";
import { type GroupStatus, groupStatus } from "./group-status.ts";
import type { ConsumerGroupStore } from "./store/group-store.ts";

/** Does the work of the groups. */
export type GroupRuntime = Pick<Consumers, "consume" | "acknowledge" | "reject" | "changed">;

/** Which page of groups to return, perhaps of one category only. */
export interface GroupsRequest extends ListRequest {
  readonly category: Category | undefined;
}

/** The consumer groups of the caller's namespace. */
export class ConsumerGroups {
  readonly #source: GroupSource;
  readonly #runtime: GroupRuntime;
  readonly #limits: Limits;
  readonly #clock: Clock;

  constructor(source: GroupSource, runtime: GroupRuntime, limits: Limits, clock: Clock = systemClock()) {
    this.#source = source;
    this.#runtime = runtime;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Creates a group; one that is the same already is returned as it is. Throws GROUP_EXISTS, LIMIT_EXCEEDED. */
  async create(
    { namespaceId }: ServicePrincipal,
    group: NewGroup,
    start: GroupStart,
    options: CallOptions,
  ): Promise<ConsumerGroup> {
    const store = this.#source.consumerGroups(namespaceId);
    for (;;) {
      const existing = await store.get(group.id, options);
      if (existing !== undefined) return sameOrExists(existing, group);
      await this.#refuseTooMany(store);
      const readTo = await resolveStart(this.#source.streams(namespaceId), group.category, start, options);
      const now = this.#clock();
      const created = { ...group, createTime: now, updateTime: now };
      if (await store.create(created, readTo)) return created;
      // Somebody else has been faster: it is there now, unless it has been deleted again.
    }
  }

  /** Returns a group with its members and partitions. Throws GROUP_NOT_FOUND. */
  get({ namespaceId }: ServicePrincipal, id: ConsumerGroupId, options: CallOptions): Promise<GroupStatus> {
    return groupStatus(this.#source.consumerGroups(namespaceId), id, options);
  }

  /** Lists groups by id. Throws PAGE_TOKEN_INVALID. */
  list(
    { namespaceId }: ServicePrincipal,
    request: GroupsRequest,
    options: CallOptions,
  ): Promise<ListPage<ConsumerGroup>> {
    const { category } = request;
    return listPage(
      request,
      ["consumer-groups", namespaceId, category ?? ""],
      ({ id }) => id,
      (after, limit) => this.#source.consumerGroups(namespaceId).list({ category, after, limit }, options),
    );
  }

  /** Changes settings. Throws GROUP_NOT_FOUND. */
  async update(
    { namespaceId }: ServicePrincipal,
    id: ConsumerGroupId,
    changes: Partial<GroupSettings>,
    options: CallOptions,
  ): Promise<ConsumerGroup> {
    const store = this.#source.consumerGroups(namespaceId);
    if (!(await store.update(id, changes, this.#clock()))) throw groupNotFound(id);
    this.#runtime.changed(namespaceId, id);
    return getGroup(store, id, options);
  }

  /** Deletes a group with everything about it. Throws GROUP_NOT_FOUND. */
  async delete({ namespaceId }: ServicePrincipal, id: ConsumerGroupId): Promise<void> {
    if (!(await this.#source.consumerGroups(namespaceId).delete(id))) throw groupNotFound(id);
    this.#runtime.changed(namespaceId, id);
  }

  /** Moves a group; returns the global position, inclusive, from which it goes on. Throws GROUP_NOT_FOUND. */
  async reset(
    { namespaceId }: ServicePrincipal,
    id: ConsumerGroupId,
    start: GroupStart,
    options: CallOptions,
  ): Promise<bigint> {
    const store = this.#source.consumerGroups(namespaceId);
    const { category } = await getGroup(store, id, options);
    const readTo = await resolveStart(this.#source.streams(namespaceId), category, start, options);
    if (!(await store.reset(id, readTo))) throw groupNotFound(id);
    this.#runtime.changed(namespaceId, id);
    return readTo + 1n;
  }

  /** Joins a group, until the signal fires. Throws GROUP_NOT_FOUND, SHUTTING_DOWN. */
  consume(
    { namespaceId }: ServicePrincipal,
    request: ConsumeRequest,
    options: CallOptions,
  ): AsyncGenerator<ConsumeFrame> {
    return this.#runtime.consume(namespaceId, request, options);
  }

  /** Settles what was handled. Throws LEASE_LOST, GROUP_NOT_FOUND, FIELD_INVALID. */
  acknowledge(
    { namespaceId }: ServicePrincipal,
    id: ConsumerGroupId,
    lease: PartitionLease,
    acknowledgement: Acknowledgement,
  ): ReturnType<GroupRuntime["acknowledge"]> {
    return this.#runtime.acknowledge(namespaceId, id, lease, acknowledgement);
  }

  /** Settles, delays or parks what could not be handled. Throws LEASE_LOST, GROUP_NOT_FOUND, FIELD_INVALID. */
  reject(
    { namespaceId }: ServicePrincipal,
    id: ConsumerGroupId,
    lease: PartitionLease,
    request: RejectRequest,
  ): ReturnType<GroupRuntime["reject"]> {
    return this.#runtime.reject(namespaceId, id, lease, request);
  }

  async #refuseTooMany(store: ConsumerGroupStore): Promise<void> {
    const { maxConsumerGroups } = this.#limits;
    const count = (await store.count()) + 1;
    if (count > maxConsumerGroups) {
      const field = "consumer_group.consumer_group_id";
      throw limitExceeded(wireName("maxConsumerGroups"), maxConsumerGroups, count, field);
    }
  }
}

function sameOrExists(existing: ConsumerGroup, wanted: NewGroup): ConsumerGroup {
  if (sameGroup(existing, wanted)) return existing;
  throw new SatchelError("GROUP_EXISTS", `a consumer group ${wanted.id} exists with other settings`);
}

/** The last global position that a group which starts there leaves out. */
async function resolveStart(
  streams: GroupStreams,
  category: Category,
  start: GroupStart,
  options: CallOptions,
): Promise<bigint> {
  const selector = { kind: "category", category } as const;
  switch (start.kind) {
    case "beginning":
      return 0n;
    case "position":
      return before(start.position);
    case "end":
      return (await streams.head(selector, options)) ?? 0n;
    case "time": {
      // The head first: what is appended after this look at it is never left out.
      const head = (await streams.head(selector, options)) ?? 0n;
      const first = await streams.firstAt(selector, start.timeMicros, options);
      return first === undefined ? head : before(first);
    }
  }
}

/** Global positions begin at 1. */
function before(position: bigint): bigint {
  return position > 0n ? position - 1n : 0n;
}
