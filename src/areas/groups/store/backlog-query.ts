import type { ConsumerGroup } from "../domain/consumer-groups.ts";

/** What to count. */
export interface BacklogQuery {
  readonly group: Pick<ConsumerGroup, "id" | "category" | "partitions">;
  /** At most this many messages of the category are looked at. */
  readonly limit: number;
}
