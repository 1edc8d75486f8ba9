import type { CallOptions } from "../core/client-options.ts";
import { SatchelClientError } from "../core/errors.ts";
import { allItems, type ListOptions } from "../core/list-pages.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import { ConsumerGroupService } from "../gen/satchel/v1/consumer_groups_pb.ts";
import { type ConsumeFrame, type ConsumeOptions, consumeFrames } from "./consume-frames.ts";
import type { ConsumerOptions, ConsumerRun } from "./consumer-options.ts";
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
} from "./group-types.ts";
import { MembershipLoop } from "./membership-loop.ts";
import { type Acknowledgement, acknowledgeRequest, type Rejection, rejectRequest } from "./settlement-requests.ts";

const RPC = ConsumerGroupService.method;

/** Selects parked messages: by global position, at most 1,000, or all that are parked now. */
export type ParkedSelection = readonly bigint[] | "all";

/** Consumer groups of the namespace that the token opens. Every method rejects with a SatchelClientError. */
export class ConsumerGroups {
  readonly #caller: RpcCaller;

  constructor(caller: RpcCaller) {
    this.#caller = caller;
  }

  /**
   * Takes part in a group: calls `handler` for each message, one at a time for each entity, and settles the messages.
   * Joins again when the connection or the replica is lost. Resolves after a clean shutdown, which `stop()` or `signal`
   * begins; rejects on a final error, for example GROUP_NOT_FOUND. Throws RangeError when `concurrency` is below 1, and
   * TypeError without a handler.
   */
  run(options: ConsumerOptions): ConsumerRun {
    const loop = new MembershipLoop(this.#caller, options, (signal) => this.#ensure(options, signal));
    const done = loop.run();
    return Object.assign(done, {
      stop: (): Promise<void> => {
        loop.stop();
        return done;
      },
    });
  }

  /** Creates a group. An existing group with the same settings is returned; with others it is GROUP_EXISTS. */
  async create(consumerGroupId: string, group: NewConsumerGroup, options?: CallOptions): Promise<ConsumerGroup> {
    const { category, partitions = 0, types = [], start = {} } = group;
    const consumerGroup = { consumerGroupId, category, partitions, types: [...types], ...settingFields(group) };
    const request = { consumerGroup, start: groupStart(start) };
    return consumerGroupOf(
      (await this.#caller.callWithRetries(RPC.createConsumerGroup, request, options)).consumerGroup,
    );
  }

  /** A group with its members and the progress of its partitions. */
  async get(consumerGroupId: string, options?: CallOptions): Promise<ConsumerGroupStatus> {
    return groupStatusOf(await this.#caller.callWithRetries(RPC.getConsumerGroup, { consumerGroupId }, options));
  }

  /** Lists the groups, of one category if given, by id. */
  list(
    options: Omit<ListOptions, "prefix"> & { readonly category?: string | undefined } = {},
  ): AsyncGenerator<ConsumerGroup, void, undefined> {
    const { category = "" } = options;
    return allItems(options, async (page) => {
      const response = await this.#caller.callWithRetries(RPC.listConsumerGroups, { category, ...page }, options);
      return { items: response.consumerGroups.map(consumerGroupOf), nextPageToken: response.nextPageToken };
    });
  }

  /** Changes the given settings; undefined resets one to the server's default. */
  async update(consumerGroupId: string, settings: GroupSettings, options?: CallOptions): Promise<ConsumerGroup> {
    const consumerGroup = { consumerGroupId, ...settingFields(settings) };
    const request = { consumerGroup, updateMask: { paths: settingPaths(settings) } };
    return consumerGroupOf(
      (await this.#caller.callWithRetries(RPC.updateConsumerGroup, request, options)).consumerGroup,
    );
  }

  /** Deletes a group with its checkpoints and parked entries. The messages stay in their streams. Not retried. */
  async delete(consumerGroupId: string, options?: CallOptions): Promise<void> {
    await this.#caller.callOnce(RPC.deleteConsumerGroup, { consumerGroupId }, options);
  }

  /**
   * Moves the checkpoints of a group forwards or back; resolves with the global position, inclusive, at which it
   * continues. Its members get their partitions again, with new epochs. Not retried.
   */
  async reset(consumerGroupId: string, start: GroupStart, options?: CallOptions): Promise<bigint> {
    const request = { consumerGroupId, start: groupStart(start) };
    return (await this.#caller.callOnce(RPC.resetConsumerGroup, request, options)).position;
  }

  /** Lists the parked messages of a group, by global position. */
  listParkedMessages(
    consumerGroupId: string,
    options: Omit<ListOptions, "prefix"> = {},
  ): AsyncGenerator<ParkedMessage, void, undefined> {
    return allItems(options, async (page) => {
      const response = await this.#caller.callWithRetries(
        RPC.listParkedMessages,
        { consumerGroupId, ...page },
        options,
      );
      return { items: response.parkedMessages.map(parkedMessageOf), nextPageToken: response.nextPageToken };
    });
  }

  /** Delivers parked messages again, from attempt 1; resolves with their number. Not retried. */
  async replayParkedMessages(
    consumerGroupId: string,
    selection: ParkedSelection,
    options?: CallOptions,
  ): Promise<bigint> {
    const request = { consumerGroupId, ...selectionOf(selection) };
    return (await this.#caller.callOnce(RPC.replayParkedMessages, request, options)).replayedCount;
  }

  /** Deletes parked entries; the messages stay in their streams. Resolves with their number. Not retried. */
  async deleteParkedMessages(
    consumerGroupId: string,
    selection: ParkedSelection,
    options?: CallOptions,
  ): Promise<bigint> {
    const request = { consumerGroupId, ...selectionOf(selection) };
    return (await this.#caller.callOnce(RPC.deleteParkedMessages, request, options)).deletedCount;
  }

  /** Low-level alternative to `run`: one membership, until the loop is left. Does not join again. */
  consume(consumerGroupId: string, options: ConsumeOptions = {}): AsyncGenerator<ConsumeFrame, never, undefined> {
    return consumeFrames(this.#caller, consumerGroupId, options);
  }

  /** Low-level alternative to `run`: acknowledges messages, or extends their deadlines. */
  async acknowledge(
    consumerGroupId: string,
    acknowledgement: Acknowledgement,
    options?: CallOptions,
  ): Promise<{ readonly acknowledgedCount: bigint; readonly checkpoint: bigint }> {
    const request = acknowledgeRequest(consumerGroupId, acknowledgement);
    const { acknowledgedCount, checkpoint } = await this.#caller.callWithRetries(RPC.acknowledge, request, options);
    return { acknowledgedCount, checkpoint };
  }

  /** Low-level alternative to `run`: rejects messages; resolves with those that are parked now. */
  async reject(
    consumerGroupId: string,
    rejection: Rejection,
    options?: CallOptions,
  ): Promise<{ readonly rejectedCount: bigint; readonly parkedGlobalPositions: readonly bigint[] }> {
    const request = rejectRequest(consumerGroupId, rejection);
    const { rejectedCount, parkedGlobalPositions } = await this.#caller.callWithRetries(RPC.reject, request, options);
    return { rejectedCount, parkedGlobalPositions };
  }

  /** Creates the group of a run unless it exists. An existing one may have other settings, but not another category. */
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
