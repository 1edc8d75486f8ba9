import type { SessionRow } from "./session.ts";

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
