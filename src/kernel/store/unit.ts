import type { EntityManager } from "@mikro-orm/core";
import type { SessionRow } from "../../areas/sessions/store/session.ts";
import type { JournalMessage } from "../journal.ts";
import type { Runner } from "./runner.ts";

/** What came of inserting a session. */
export interface SessionInsertion {
  /** False: the user has one with the same request id, and nothing was changed. */
  readonly inserted: boolean;
  /** Whether the user had not used its device before. */
  readonly newDevice: boolean;
}

/** What one unit of work does its work with. Nothing of it may be used once the work has returned. */
export interface Unit extends Runner {
  /** The entities of the namespace, in a transaction; what is changed in them is flushed when the work returns. */
  readonly em: EntityManager;
  /** Appends to a stream of Satchel's own (`$…`), in the same commit. Any number of times; in order. */
  journal(streamName: string, messages: readonly JournalMessage[]): void;
  /** Reads something once for all units of work that share this transaction; nobody changes it in a shared one. */
  once<T>(key: string, read: (em: EntityManager) => Promise<T>): Promise<T>;
  /** Inserts a session, and notes its device as used, in one round trip; not if its user has one of the same request. */
  insertSession(session: SessionRow): Promise<SessionInsertion>;
  /** The session of this id, which nobody else changes before the unit of work ends; not an entity of `em`. */
  lockSession(id: string): Promise<SessionRow | undefined>;
  /** Stores what may have changed of a session that `lockSession` has returned. */
  saveSession(session: SessionRow): Promise<void>;
  /** Waits until no other unit of work in the namespace, in any process, holds the lock of this name; keeps it to the end. */
  lock(name: string): Promise<void>;
}

/**
 * State and journal, committed together or not at all. It may be run again from the beginning when its transaction was lost
 * to no fault of its own, so it has no effect but through the unit. When it throws before it has changed anything, only
 * its own caller notices; so it looks first, refuses then, and writes last.
 */
export type UnitWork<T> = (unit: Unit) => Promise<T>;

/** A transaction in one namespace, as an engine provides it. Used by one unit of work at a time. */
export interface NamespaceTransaction extends Runner {
  /** How many statements have been run that may have changed something. */
  readonly writes: number;
  /** True once a statement has failed: the transaction can only be rolled back. */
  readonly failed: boolean;
  /** An entity manager that works in the transaction, with nothing in its identity map. */
  entities(): EntityManager;
  lock(name: string): Promise<void>;
  insertSession(session: SessionRow): Promise<SessionInsertion>;
  lockSession(id: string): Promise<SessionRow | undefined>;
  saveSession(session: SessionRow): Promise<void>;
  /** Rejects when it is unknown what became of the transaction, or when it was rolled back. */
  commit(): Promise<void>;
  /** Ends the transaction without effect; never rejects. */
  rollback(): Promise<void>;
}
