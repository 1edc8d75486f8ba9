import type { JournalEntry } from "../journal.ts";
import type { AnyTransaction } from "./engines/any-engine.ts";

/** Where changes of state are noted, in the same commit as the change. */
export interface JournalWriter {
  /**
   * Appends what each unit of work has noted. The locks that this takes are held to the end of the transaction, so it
   * comes last.
   */
  append(transaction: AnyTransaction, units: readonly (readonly JournalEntry[])[]): Promise<void>;
  /** The topic whose watchers are told of messages in a stream. */
  topicOf(streamName: string): string;
}
