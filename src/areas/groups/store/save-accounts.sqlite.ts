import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import type { ConsumerGroupId } from "../domain/consumer-groups.ts";
import type { PartitionSave } from "./group-store.ts";
import { PARK, SAVE, UNPARK } from "./groups.sqlite.sql.ts";

/** Saves accounts, as ConsumerGroupStore.save says, inside a transaction. */
export function saveAccounts(
  database: NamespaceDatabase,
  id: ConsumerGroupId,
  saves: readonly PartitionSave[],
  parkTime: bigint,
): Set<number> {
  const saved = new Set<number>();
  for (const { partition, epoch, revision, readTo, checkpoint, entries, park, unpark } of saves) {
    const values = { id, partition, epoch, revision, readTo, checkpoint, entries };
    if (database.change(SAVE, values) === 0) continue;
    saved.add(partition);
    for (const position of unpark) database.run(UNPARK, id, position);
    for (const { position, attempts, reason } of park) {
      database.run(PARK, { id, position, partition, attempts, reason, parkTime });
    }
  }
  return saved;
}
