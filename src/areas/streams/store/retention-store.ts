import type { CallOptions } from "../../../kernel/call-options.ts";
import type {
  DeletionOutcome,
  RetentionPolicy,
  RetentionTarget,
  StreamDeletion,
  Truncations,
} from "../domain/retention.ts";
import type { Category, StreamName } from "../domain/stream-name.ts";

/** A policy as it is stored, with how far a category has been seen to. */
export interface StoredPolicy extends RetentionPolicy {
  readonly target: RetentionTarget;
  /** Another one whenever the positions have been reset. */
  readonly revision: bigint;
  /** The global position of the category up to which messages that are too old have been removed. */
  readonly agedTo: bigint;
  /** The global position of the category up to which messages have been looked at for their streams' counts. */
  readonly countedTo: bigint;
}

/** A policy to store. */
export interface PolicyChange {
  readonly target: RetentionTarget;
  /** Undefined: there is none from now on. */
  readonly policy: RetentionPolicy | undefined;
  /** One that was never used. */
  readonly revision: bigint;
  /** How many there may be. */
  readonly maxPolicies: number;
}

/** Where a message is, and how old. */
export interface MessagePlace {
  readonly streamName: StreamName;
  readonly position: bigint;
  readonly globalPosition: bigint;
  readonly timeMicros: bigint;
}

/** The positions of the first and the last message of a stream. */
export interface StreamEnds {
  readonly first: bigint;
  readonly last: bigint;
}

/** The messages that follow a position: of a stream, or a global one of a category. */
export interface PlacesQuery {
  readonly of: { readonly streamName: StreamName } | { readonly category: Category };
  readonly after: bigint;
  readonly limit: number;
}

/**
 * What removes messages of one namespace. A removal takes the lock of its category like an append, and is durable when it
 * is answered. Every method rejects with a SatchelError: NAMESPACE_NOT_FOUND when the namespace is gone, STORE_UNAVAILABLE
 * when the database is.
 */
export interface RetentionStore {
  /**
   * Removes the first messages of streams of one category, at most `limit` in all, and returns how many those were. A
   * stream keeps its version when it loses its last message.
   */
  truncate(category: string, truncations: Truncations, limit: number, options: CallOptions): Promise<number>;

  /** Deletes a stream as a whole, in one step. A stream that is gone is as expected at -1n and at its last version. */
  deleteStream(deletion: StreamDeletion, options: CallOptions): Promise<DeletionOutcome>;

  /** The ends of those of the streams that have messages. */
  ends(streamNames: readonly StreamName[], options: CallOptions): Promise<ReadonlyMap<string, StreamEnds>>;

  /** The messages after a position, ascending. */
  places(query: PlacesQuery, options: CallOptions): Promise<readonly MessagePlace[]>;

  /** Stores a policy, unless there is no room for one more; returns how many there would be then. */
  setPolicy(change: PolicyChange, options: CallOptions): Promise<bigint | undefined>;

  /** Those policies that are of one of the targets. */
  policiesOf(targets: readonly RetentionTarget[], options: CallOptions): Promise<readonly StoredPolicy[]>;

  /** At most `limit` policies in the order of their targets, after one of them. */
  policies(after: string, limit: number, options: CallOptions): Promise<readonly StoredPolicy[]>;

  /** Stores how far a category has been seen to; returns false when its policy has been reset meanwhile. */
  advance(policy: Omit<StoredPolicy, keyof RetentionPolicy>, options: CallOptions): Promise<boolean>;
}
