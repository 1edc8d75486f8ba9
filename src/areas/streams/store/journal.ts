import type { JournalWriter } from "../../../kernel/store/journal-writer.ts";
import type { AppendRequest } from "../domain/append.ts";
import { categoryOf, type StreamName } from "../domain/stream-name.ts";
import { appendIn as appendInPostgres } from "./append.postgres.ts";
import { appendIn as appendInSqlite } from "./append.sqlite.ts";

/** Writes the journal to streams of the same namespace whose names begin with a dollar sign. */
export const journal: JournalWriter = {
  async append(transaction, units) {
    const batch: AppendRequest[] = units.map((entries) => ({
      appends: entries.map(({ streamName, messages }) => ({
        streamName: streamName as StreamName,
        expectation: { kind: "any" },
        messages,
      })),
    }));
    const outcomes = await (transaction.kind === "postgresql"
      ? appendInPostgres(transaction, batch)
      : appendInSqlite(transaction, batch));
    const refused = outcomes.find(({ kind }) => kind !== "appended");
    if (refused !== undefined) throw new Error(`the journal has refused an append: ${refused.kind}`);
  },
  topicOf: categoryOf,
};
