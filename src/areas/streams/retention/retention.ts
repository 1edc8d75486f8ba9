import type { CallOptions } from "../../../kernel/call-options.ts";
import { type Clock, systemClock } from "../../../kernel/clock.ts";
import { limitExceeded } from "../../../kernel/errors.ts";
import { type Limits, wireName } from "../../../kernel/limits.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { nextTurn } from "../../../kernel/next-turn.ts";
import type { ServicePrincipal } from "../../../kernel/principal.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { NO_STREAM } from "../domain/append.ts";
import type { RetentionPolicy, RetentionTarget, StreamDeletion } from "../domain/retention.ts";
import { categoryOf, isCategory, type StreamName } from "../domain/stream-name.ts";
import { versionConflict } from "../errors.ts";
import { retentionStore } from "../store/stores.ts";
import { streamStore } from "../store/stores.ts";
import { SweepEntity } from "../store/sweep.ts";
import { type RetentionPreview, previewRetention } from "./preview.ts";

/** How many messages are removed while the category is locked, at most. */
export const REMOVAL_BATCH = 1_000;

/** What a truncation has done. */
export interface Truncated {
  readonly removed: bigint;
  /** Of the first message that is left or, when none is, of the next one. */
  readonly firstPosition: bigint;
}

/** What a deletion has done. */
export interface Deleted {
  readonly removed: bigint;
  /** Undefined: the stream never had a message. */
  readonly version: bigint | undefined;
}

/** The policy in force. */
export interface PolicyInForce {
  readonly policy: RetentionPolicy;
  /** Whether it is the category's. */
  readonly inherited: boolean;
}

/** Removal of messages from the caller's namespace, at once or by policy. */
export class Retention {
  readonly #store: Store;
  readonly #limits: Limits;
  readonly #clock: Clock;

  constructor(store: Store, limits: Limits, clock: Clock = systemClock()) {
    this.#store = store;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Removes the messages of a stream before a position. */
  async truncateStream(
    { namespaceId }: ServicePrincipal,
    streamName: StreamName,
    before: bigint,
    options: CallOptions,
  ): Promise<Truncated> {
    const removed = await this.#truncate(namespaceId, streamName, before, options);
    const left = (await this.#retention(namespaceId).ends([streamName], options)).get(streamName);
    if (left !== undefined) return { removed, firstPosition: left.first };
    const version = await streamStore(this.#store.engine, namespaceId).head({ kind: "stream", streamName }, options);
    return { removed, firstPosition: (version ?? NO_STREAM) + 1n };
  }

  /**
   * Deletes a stream. A long one loses its first messages step by step, and is deleted as a whole once the rest is short;
   * not so when a version is expected, because a conflict must leave the stream as it is. Throws VERSION_CONFLICT,
   * LIMIT_EXCEEDED.
   */
  async deleteStream(
    { namespaceId }: ServicePrincipal,
    deletion: Omit<StreamDeletion, "maxMessages">,
    options: CallOptions,
  ): Promise<Deleted> {
    const { streamName, expectedVersion: version } = deletion;
    const { maxConditionalDeleteMessages } = this.#limits;
    const maxMessages = version === undefined ? REMOVAL_BATCH : maxConditionalDeleteMessages;
    let removed = 0n;
    for (;;) {
      const outcome = await this.#retention(namespaceId).deleteStream({ ...deletion, maxMessages }, options);
      switch (outcome.kind) {
        case "deleted":
          removed += outcome.removed;
          return { removed, version: outcome.version === NO_STREAM ? undefined : outcome.version };
        case "conflict": {
          const expected = { kind: "version", version: version ?? NO_STREAM } as const;
          throw versionConflict([{ streamName, expected, actual: outcome.actual }]);
        }
        case "too-long": {
          const limit = wireName("maxConditionalDeleteMessages");
          if (version !== undefined)
            throw limitExceeded(limit, maxMessages, Number(outcome.messageCount), "stream_name");
          removed += await this.#truncate(namespaceId, streamName, outcome.version, options);
        }
      }
    }
  }

  /** Stores a policy, undefined for none. Throws LIMIT_EXCEEDED. */
  async setPolicy(
    { namespaceId }: ServicePrincipal,
    target: RetentionTarget,
    policy: RetentionPolicy | undefined,
    options: CallOptions,
  ): Promise<void> {
    const revision = this.#clock();
    const { maxRetentionPolicies: maxPolicies } = this.#limits;
    const change = { target, policy, revision, maxPolicies };
    const count = await this.#retention(namespaceId).setPolicy(change, options);
    if (count !== undefined)
      throw limitExceeded(wireName("maxRetentionPolicies"), maxPolicies, Number(count), "policy");
    // After the policy: a sweeper that has just found none must not forget the namespace.
    await this.#store.transact((em) => em.upsert(SweepEntity, { namespaceId, revision, dueTime: revision }));
  }

  /** What a policy would remove now. */
  preview(
    { namespaceId }: ServicePrincipal,
    target: RetentionTarget,
    policy: RetentionPolicy | undefined,
    options: CallOptions,
  ): Promise<RetentionPreview> {
    const [streams, retention] = [streamStore(this.#store.engine, namespaceId), this.#retention(namespaceId)];
    return previewRetention({ streams, retention, nowMicros: this.#clock(), options }, target, policy);
  }

  /** The policy of a category, or of a stream: its own or else its category's. */
  async getPolicy(
    { namespaceId }: ServicePrincipal,
    target: RetentionTarget,
    options: CallOptions,
  ): Promise<PolicyInForce | undefined> {
    const targets = isCategory(target) ? [target] : [target, categoryOf(target) as RetentionTarget];
    const policies = await this.#retention(namespaceId).policiesOf(targets, options);
    const own = policies.find((policy) => policy.target === target);
    const policy = own ?? policies[0];
    return policy === undefined ? undefined : { policy, inherited: own === undefined };
  }

  async #truncate(
    namespaceId: NamespaceId,
    streamName: StreamName,
    before: bigint,
    options: CallOptions,
  ): Promise<bigint> {
    const truncations = new Map([[streamName, before]]);
    const retention = this.#retention(namespaceId);
    let removed = 0n;
    for (;;) {
      const count = await retention.truncate(categoryOf(streamName), truncations, REMOVAL_BATCH, options);
      removed += BigInt(count);
      if (count < REMOVAL_BATCH) return removed;
      await nextTurn(options.signal);
    }
  }

  #retention(namespaceId: NamespaceId) {
    return retentionStore(this.#store.engine, namespaceId);
  }
}
