import type { JournalMessage } from "../journal.ts";
import type { EngineKind } from "./engine-kind.ts";
import type { Runner } from "./runner.ts";

/** One unit of work in a namespace. It may not be used once the work has returned. */
export interface Unit extends Runner {
  /** Where it runs, for the rare statement that only one engine has. */
  readonly engine: EngineKind;
  /** Appends to a stream of Satchel's own, in the same commit. Any number of times; in order. */
  journal(streamName: string, messages: readonly JournalMessage[]): void;
  /** Reads something once for all units of work that share this transaction; nobody changes it in a shared one. */
  once<T>(key: string, read: () => Promise<T>): Promise<T>;
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
  readonly kind: EngineKind;
  /** How many statements have been run that may have changed something. */
  readonly writes: number;
  /** True once a statement has failed: the transaction can only be rolled back. */
  readonly failed: boolean;
  lock(name: string): Promise<void>;
  /** Rejects when it is unknown what became of the transaction, or when it was rolled back. */
  commit(): Promise<void>;
  /** Ends the transaction without effect; never rejects. */
  rollback(): Promise<void>;
}
