import type { EntityManager, MikroORM } from "@mikro-orm/core";
import type { ConsumerGroupStore } from "../../areas/groups/store/group-store.ts";
import type { SessionRow } from "../../areas/sessions/store/session.ts";
import type { AppendOutcome, AppendRequest } from "../../areas/streams/domain/append.ts";
import type {
  CategorySummary,
  NamesQuery,
  NamespaceStatistics,
  Page,
  PageQuery,
  Selector,
  StoredMessage,
  StreamSummary,
  StreamsQuery,
} from "../../areas/streams/domain/message.ts";
import type { StreamName } from "../../areas/streams/domain/stream-name.ts";
import type { RetentionStore } from "../../areas/streams/store/retention-store.ts";
import type { NamespaceId } from "../namespace-id.ts";
import type { Role } from "../role.ts";
import type { NamespaceTransaction } from "./unit.ts";

/** How a call to the store ends early: it is cancelled in the database, and rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What the store says of an append it has not made, because somebody else holds the lock of a category of it. */
export const BUSY = { kind: "busy" } as const;

/** How long an append may wait for the locks of its categories. */
export interface LockWait {
  /** 0: not at all; what cannot have its locks at once comes back BUSY. */
  readonly lockTimeoutMs: number;
}

/** How far a namespace is. */
export interface Progress {
  /** The last global position that an append has drawn, whether or not it is visible yet. */
  readonly drawn: bigint;
  /** `head` of the whole namespace; less than `drawn` while an append is under way. */
  readonly safe: bigint;
}

/**
 * The streams of one namespace. Every method rejects with a SatchelError: NAMESPACE_NOT_FOUND when the namespace is gone,
 * STORE_UNAVAILABLE when the database is.
 */
export interface StreamStore {
  /** How many batches may be sent before the first is answered; they are appended in the order in which they were sent. */
  readonly maxBatches: number;

  /**
   * Appends many requests in one transaction; each has its own outcome, and one that is refused never fails another.
   * The batch is as `planBatch` makes it: an append with an expectation is the first of the batch for its stream, and
   * no message id occurs twice. Messages of one stream take their positions in the order of the batch.
   *
   * A request all of whose messages are there already is answered as `appended`, whatever it expects. Otherwise its
   * expectations are judged, then its ids; messages that are there already with the same content (`sameJson`), in
   * the same stream, come back `deduplicated` and the rest is appended.
   */
  append(batch: readonly AppendRequest[], wait: LockWait): Promise<readonly (AppendOutcome | typeof BUSY)[]>;

  /** Reads one page. A category or all is read in the order in which messages became visible: see `head`. */
  page(query: PageQuery, options: CallOptions): Promise<Page>;

  /**
   * The last position that may be read now such that nothing at or below it can become visible later; undefined when
   * nothing has been written. For a category or a stream that is its last message, even when that has been removed.
   */
  head(selector: Selector, options: CallOptions): Promise<bigint | undefined>;

  /** How far the namespace is. */
  progress(options: CallOptions): Promise<Progress>;

  /**
   * The messages at these global positions, ascending; those that are gone are left out. Ends before the message that would
   * take the sum of data and metadata beyond `maxBytes`; has at least one when any is there.
   */
  at(globalPositions: readonly bigint[], maxBytes: number, options: CallOptions): Promise<readonly StoredMessage[]>;

  /**
   * The categories that have messages after a global position which are visible now, each with the last of them. Looks at
   * every message after the position.
   */
  changedSince(globalPosition: bigint, options: CallOptions): Promise<ReadonlyMap<string, bigint>>;

  /** The last message of a stream, or its last one of a type. */
  last(streamName: StreamName, type: string | undefined, options: CallOptions): Promise<StoredMessage | undefined>;

  /** The position of the last message of a stream, even when that was truncated away; undefined when there is no stream. */
  version(streamName: StreamName, options: CallOptions): Promise<bigint | undefined>;

  /**
   * Where to begin reading for what is as late as the time or later: everything before is earlier;
   * undefined when everything up to `head` is. A category's filters may be left out of account.
   */
  firstAt(selector: Selector, timeMicros: bigint, options: CallOptions): Promise<bigint | undefined>;

  /** At most `limit` categories. */
  categories(query: NamesQuery, options: CallOptions): Promise<readonly CategorySummary[]>;

  /** At most `limit` streams. */
  streams(query: StreamsQuery, options: CallOptions): Promise<readonly StreamSummary[]>;

  /** Counts and sizes. */
  statistics(options: CallOptions): Promise<NamespaceStatistics>;
}

/** A token and its namespace, as far as a call needs them. */
export interface TokenRecord {
  readonly tokenId: string;
  readonly namespaceId: NamespaceId;
  readonly hash: Uint8Array;
  readonly role: Role;
  /** From when on it is refused, in microseconds since 1970; undefined = never. */
  readonly expireTime: bigint | undefined;
  readonly revoked: boolean;
  /** False while the namespace is being deleted. */
  readonly active: boolean;
}

/**
 * Told that something has changed in these topics of a namespace, or perhaps in any; without a namespace, anywhere. A topic is
 * a category, to which messages were appended; for anything else it is a name with a "-" in it, which no category has.
 */
export type WakeUp = (namespaceId?: NamespaceId, topics?: ReadonlySet<string>) => void;

/**
 * What of the sessions of one namespace needs one short statement. Rejects as StreamStore does; a namespace that is being
 * deleted has no sessions.
 */
export interface SessionStore {
  /** Looks a session up by its id, always in the store: a revocation counts at once on every replica. */
  find(sessionId: string): Promise<SessionRow | undefined>;

  /** The same, for a token that is a credential: undefined while the namespace is being deleted. */
  findInActiveNamespace(sessionId: string): Promise<SessionRow | undefined>;

  /**
   * Notes an activity, unless the session has ended or was active since `before`; so of many that do so at once one
   * writes, and a clock that is behind never sets the time back. Returns whether it has.
   */
  touch(sessionId: string, activity: SessionActivity): Promise<boolean>;

  /** Whether the user has used the device before. */
  hasDevice(userId: string, deviceId: string): Promise<boolean>;

  /** What the sessions of a user say of some of her devices; a device that has none is left out. */
  deviceUses(userId: string, deviceIds: readonly string[], now: bigint): Promise<ReadonlyMap<string, DeviceUse>>;

  /** Counts all sessions, exactly as they are at `now`; it reads few of them. */
  count(now: bigint, createdSince: readonly bigint[]): Promise<SessionCounts>;
}

/** The use of a device, as its sessions have it. */
export interface DeviceUse {
  readonly lastActivityTime: bigint;
  readonly activeSessions: number;
}

/** What is counted of the sessions of one client type and assurance level. */
export interface SessionCount {
  readonly clientType: string;
  readonly aal: number;
  /** Those that are kept. */
  readonly sessions: bigint;
  /** Those of them that are not in use. */
  readonly inactive: bigint;
  /** From creation to last activity, in microseconds, summed over the inactive ones. */
  readonly duration: bigint;
}

/** Everything that is counted, at one moment. */
export interface SessionCounts {
  readonly groups: readonly SessionCount[];
  /** For each of the times asked about: how many sessions were created at or after it. */
  readonly createdSince: readonly bigint[];
}

/** An activity to note; times in microseconds since 1970. */
export interface SessionActivity {
  readonly now: bigint;
  readonly before: bigint;
  readonly idleExpireTime: bigint;
}

/** What differs between the engines. Everything else is written once, on the entities. */
export interface Dialect extends AsyncDisposable {
  readonly engine: "sqlite" | "postgresql";

  /** The control plane: namespaces and tokens. */
  readonly orm: MikroORM;

  /** One transaction of the control plane: what `work` does is committed together, or not at all. */
  transact<T>(work: (em: EntityManager) => Promise<T>): Promise<T>;

  /** Begins a transaction in a namespace. Rejects with NAMESPACE_NOT_FOUND when that is found out now. */
  begin(id: NamespaceId): Promise<NamespaceTransaction>;

  /** Reads the entities of a namespace, as they are committed. */
  readEntities<T>(id: NamespaceId, work: (em: EntityManager) => Promise<T>): Promise<T>;

  /** The sessions of a namespace; cheap, and holds no connection. Whether it exists shows at the first call. */
  sessionStore(id: NamespaceId): SessionStore;

  /** Brings the control plane and every namespace to this version's schema; safe when several processes do so at once. */
  migrate(): Promise<void>;

  /** Creates the place of a namespace, empty; on PostgreSQL as part of the transaction of `em`. */
  provisionNamespace(id: NamespaceId, em: EntityManager): Promise<void>;

  /** Removes the place of a namespace; succeeds when it is gone already. */
  dropNamespace(id: NamespaceId): Promise<void>;

  /** The streams of a namespace; cheap, and holds no connection. Whether it exists shows at the first call. */
  streamStore(id: NamespaceId): StreamStore;

  /** The consumer groups of a namespace; cheap, and holds no connection, as above. */
  consumerGroupStore(id: NamespaceId): ConsumerGroupStore;
  /** What removes messages of a namespace; as `streamStore`. */
  retentionStore(id: NamespaceId): RetentionStore;

  /** Looks a token up, always in the store: a revocation counts at once on every replica. */
  findToken(tokenId: string): Promise<TokenRecord | undefined>;

  /** Tells the other processes that use the store what a WakeUp is told. May get lost: the truth is in the store. */
  announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void;

  /** Hears what other processes announce, from now on. */
  listen(wake: WakeUp): void;

  /** Rejects when the store cannot be used now. */
  ping(options: CallOptions): Promise<void>;

  /**
   * For how long the oldest append of all namespaces has not been committed, in seconds; 0 when none is under way.
   * Until it is, reads of the whole namespace stop before it.
   */
  oldestWriterSeconds(options: CallOptions): Promise<number>;

  /**
   * The SatchelError for what the driver threw, in work on a namespace if one is named; anything that is not the driver's
   * comes back as it is.
   */
  translateError(error: unknown, namespaceId?: NamespaceId): unknown;
}
