import type { ReadStart } from "../../streams/area.ts";
import type { ConsumerGroup, GroupSettings } from "./consumer-groups.ts";

/** A group to create. */
export type NewGroup = Omit<ConsumerGroup, "createTime" | "updateTime">;

/** The first message that a group delivers. */
export type GroupStart = Exclude<ReadStart, { readonly kind: "cursor" }>;

const SECOND = 1_000_000n;

/** The defaults of the settings. */
export const GROUP_DEFAULTS = {
  partitions: 8,
  acknowledgeTimeoutMicros: 30n * SECOND,
  maxAttempts: 10,
  backoffMicros: [SECOND, 5n * SECOND, 30n * SECOND],
  maxInFlightPerEntity: 1,
} as const satisfies GroupSettings & Pick<NewGroup, "partitions">;

/** Whether two groups are equal, apart from their times and the order of their types. */
export function sameGroup(a: NewGroup, b: NewGroup): boolean {
  return (
    a.id === b.id &&
    a.category === b.category &&
    a.partitions === b.partitions &&
    sameItems(typesOf(a), typesOf(b)) &&
    a.acknowledgeTimeoutMicros === b.acknowledgeTimeoutMicros &&
    a.maxAttempts === b.maxAttempts &&
    sameItems(a.backoffMicros, b.backoffMicros) &&
    a.maxInFlightPerEntity === b.maxInFlightPerEntity
  );
}

function typesOf({ types }: NewGroup): readonly string[] {
  return [...new Set(types)].sort();
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
