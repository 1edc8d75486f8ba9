import type { ConsumerGroup } from "../domain/consumer-groups.ts";

/** The messages to count. */
export interface BacklogQuery {
  readonly group: Pick<ConsumerGroup, "id" | "category" | "partitions">;
  /** Maximum number of messages of the category to look at. */
  readonly limit: number;
}
