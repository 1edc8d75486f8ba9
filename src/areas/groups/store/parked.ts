import { command, statement } from "../../../kernel/store/statement.ts";
import type { Unit } from "../../../kernel/store/unit.ts";
import type { ConsumerGroupId } from "../domain/consumer-groups.ts";
import type { ParkedSelection } from "./group-store.ts";

/** Up to $3 parked messages of a group ($1) after a global position ($2). */
export const LIST = statement(
  {
    position: "int64",
    partition: "integer",
    attempts: "integer",
    reason: "text",
    parkTime: "int64",
    replaying: "boolean",
  },
  `SELECT global_position, partition, attempts, reason, park_time, replaying FROM {consumer_group_parked}
  WHERE group_id = $1 AND global_position > $2 ORDER BY global_position LIMIT $3`,
);

/** Number of parked messages of a group ($1) by partition. */
export const COUNT = statement(
  { partition: "integer", count: "int64" },
  "SELECT partition, count(*) FROM {consumer_group_parked} WHERE group_id = $1 GROUP BY partition",
);

/** Up to $3 messages of partitions ($2) of a group ($1) that are to be replayed. */
export const REPLAYING = statement(
  { partition: "integer", position: "int64" },
  `SELECT partition, global_position FROM {consumer_group_parked}
  WHERE group_id = $1 AND replaying AND partition IN ({each $2 integer}) ORDER BY global_position LIMIT $3`,
);

const MARK = "UPDATE {consumer_group_parked} SET replaying = true WHERE group_id = $1 AND NOT replaying";
const DELETE = "DELETE FROM {consumer_group_parked} WHERE group_id = $1";
const CHOSEN = "AND global_position IN ({each $2 bigint})";

const MARK_ALL = command(MARK);
const MARK_CHOSEN = command(`${MARK} ${CHOSEN}`);
const DELETE_ALL = command(DELETE);
const DELETE_CHOSEN = command(`${DELETE} ${CHOSEN}`);

/** Marks parked messages for replay; returns how many were not marked before. */
export async function markReplaying(unit: Unit, id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint> {
  const changed = selection === "all" ? unit.change(MARK_ALL, [id]) : unit.change(MARK_CHOSEN, [id, selection]);
  return BigInt(await changed);
}

/** Deletes parked messages; returns how many. */
export async function deleteParked(unit: Unit, id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint> {
  const changed = selection === "all" ? unit.change(DELETE_ALL, [id]) : unit.change(DELETE_CHOSEN, [id, selection]);
  return BigInt(await changed);
}
