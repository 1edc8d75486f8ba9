import { ConsumerGroupService } from "../gen/satchel/v1/consumer_groups_pb.ts";
import type { Caller } from "./caller.ts";
import { type ConsumeFrame, type ConsumeOptions, consumeFrames } from "./consume.ts";
import type { ConsumerOptions, ConsumerRun } from "./consumer-options.ts";
import { Consumer } from "./consumer.ts";
import { SatchelClientError } from "./errors.ts";
import {
  type ConsumerGroup,
  consumerGroupOf,
  type ConsumerGroupStatus,
  type GroupSettings,
  type GroupStart,
  groupStart,
  groupStatusOf,
  type NewConsumerGroup,
  type ParkedMessage,
  parkedMessageOf,
  settingFields,
  settingPaths,
} from "./group-values.ts";
import type { CallOptions } from "./options.ts";
import { allItems, type ListOptions } from "./paging.ts";
import { type Acknowledgement, acknowledgeRequest, type Rejection, rejectRequest } from "./settlement.ts";

const RPC = ConsumerGroupService.method;

/** Which parked messages: their global positions, at most 1,000, or all that are parked now. */
export type ParkedSelection = readonly bigint[] | "all";

/** Consumer groups of the namespace that the token opens. Every method rejects with a SatchelClientError. */
export class ConsumerGroups {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Takes part in a group: gives its messages to `handler`, those of one entity one after the other, and settles them.
   * Joins again whenever the connection or the replica is lost. Resolves after `stop()` or when `signal` fires, once it
   * has shut down cleanly; rejects on an error that cannot be helped, as GROUP_NOT_FOUND. Throws RangeError when
   * `concurrency` is less than 1, and TypeError without a handler.
   */
  run(options: ConsumerOptions): ConsumerRun {
    const consumer = new Consumer(this.#caller, options, (signal) => this.#ensure(options, signal));
    const done = consumer.run();
    return Object.assign(done, {
      stop: (): Promise<void> => {
        consumer.stop();
        return done;
      },
    });
  }

  /** Creates a group. One that exists with the same settings is answered, another is GROUP_EXISTS. */
  async create(consumerGroupId: string, group: NewConsumerGroup, options?: CallOptions): Promise<ConsumerGroup> {
    const { category, partitions = 0, types = [], start = {} } = group;
    const consumerGroup = { consumerGroupId, category, partitions, types: [...types], ...settingFields(group) };
    const request = { consumerGroup, start: groupStart(start) };
    return consumerGroupOf((await this.#caller.repeatable(RPC.createConsumerGroup, request, options)).consumerGroup);
  }

  /** A group with its members, and how far every partition is. */
  async get(consumerGroupId: string, options?: CallOptions): Promise<ConsumerGroupStatus> {
    return groupStatusOf(await this.#caller.repeatable(RPC.getConsumerGroup, { consumerGroupId }, options));
  }

  /** Every group, perhaps of one category only, by id. */
  list(
    options: Omit<ListOptions, "prefix"> & { readonly category?: string | undefined } = {},
  ): AsyncGenerator<ConsumerGroup, void, undefined> {
    const { category = "" } = options;
    return allItems(options, async (page) => {
      const response = await this.#caller.repeatable(RPC.listConsumerGroups, { category, ...page }, options);
      return { items: response.consumerGroups.map(consumerGroupOf), nextPageToken: response.nextPageToken };
    });
  }

  /** Changes the settings that are named; one with the value undefined gets the server's default. */
  async update(consumerGroupId: string, settings: GroupSettings, options?: CallOptions): Promise<ConsumerGroup> {
    const consumerGroup = { consumerGroupId, ...settingFields(settings) };
    const request = { consumerGroup, updateMask: { paths: settingPaths(settings) } };
    return consumerGroupOf((await this.#caller.repeatable(RPC.updateConsumerGroup, request, options)).consumerGroup);
  }

  /** Deletes a group with its checkpoints and parked messages; the messages stay. Never repeated by itself. */
  async delete(consumerGroupId: string, options?: CallOptions): Promise<void> {
    await this.#caller.once(RPC.deleteConsumerGroup, { consumerGroupId }, options);
  }

  /**
   * Moves a group, forwards or back; resolves with the global position, inclusive, from which it goes on. Its members
   * get their partitions again under new epochs. Never repeated by itself.
   */
  async reset(consumerGroupId: string, start: GroupStart, options?: CallOptions): Promise<bigint> {
    const request = { consumerGroupId, start: groupStart(start) };
    return (await this.#caller.once(RPC.resetConsumerGroup, request, options)).position;
  }

  /** Every parked message of a group, by global position. */
  listParkedMessages(
    consumerGroupId: string,
    options: Omit<ListOptions, "prefix"> = {},
  ): AsyncGenerator<ParkedMessage, void, undefined> {
    return allItems(options, async (page) => {
      const response = await this.#caller.repeatable(RPC.listParkedMessages, { consumerGroupId, ...page }, options);
      return { items: response.parkedMessages.map(parkedMessageOf), nextPageToken: response.nextPageToken };
    });
  }

  /** Delivers parked messages again, from attempt 1; resolves with how many. Never repeated by itself. */
  async replayParkedMessages(
    consumerGroupId: string,
    selection: ParkedSelection,
    options?: CallOptions,
  ): Promise<bigint> {
    const request = { consumerGroupId, ...selectionOf(selection) };
    return (await this.#caller.once(RPC.replayParkedMessages, request, options)).replayedCount;
  }

  /** Forgets parked messages, which stay in their streams; resolves with how many. Never repeated by itself. */
  async deleteParkedMessages(
    consumerGroupId: string,
    selection: ParkedSelection,
    options?: CallOptions,
  ): Promise<bigint> {
    const request = { consumerGroupId, ...selectionOf(selection) };
    return (await this.#caller.once(RPC.deleteParkedMessages, request, options)).deletedCount;
  }

  /** For who does without `run`: one membership, until the loop is left. It is not repeated when it breaks off. */
  consume(consumerGroupId: string, options: ConsumeOptions = {}): AsyncGenerator<ConsumeFrame, never, undefined> {
    return consumeFrames(this.#caller, consumerGroupId, options);
  }

  /** For who does without `run`: says what has been handled, or is still being handled. */
  async acknowledge(
    consumerGroupId: string,
    acknowledgement: Acknowledgement,
    options?: CallOptions,
  ): Promise<{ readonly acknowledgedCount: bigint; readonly checkpoint: bigint }> {
    const request = acknowledgeRequest(consumerGroupId, acknowledgement);
    const { acknowledgedCount, checkpoint } = await this.#caller.repeatable(RPC.acknowledge, request, options);
    return { acknowledgedCount, checkpoint };
  }

  /** For who does without `run`: says what could not be handled; resolves with what is parked now because of it. */
  async reject(
    consumerGroupId: string,
    rejection: Rejection,
    options?: CallOptions,
  ): Promise<{ readonly rejectedCount: bigint; readonly parkedGlobalPositions: readonly bigint[] }> {
    const request = rejectRequest(consumerGroupId, rejection);
    const { rejectedCount, parkedGlobalPositions } = await this.#caller.repeatable(RPC.reject, request, options);
    return { rejectedCount, parkedGlobalPositions };
  }

  /** Creates the group of a run unless it is there; its settings may have been changed since it was created. */
  async #ensure({ group, create }: ConsumerOptions, signal: AbortSignal): Promise<void> {
    if (create === undefined) return;
    try {
      await this.create(group, create, { signal });
    } catch (error) {
      if (!(error instanceof SatchelClientError && error.reason === "GROUP_EXISTS")) throw error;
      const { category } = (await this.get(group, { signal })).group;
      if (category !== create.category) throw error;
    }
  }
}

function selectionOf(selection: ParkedSelection): { readonly globalPositions: bigint[]; readonly all: boolean } {
  return selection === "all" ? { globalPositions: [], all: true } : { globalPositions: [...selection], all: false };
}
