import type { Clock } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { AppendQueues } from "./append-queues.ts";

/** What the use cases of the area work with. */
export interface StreamsContext {
  readonly store: Store;
  readonly appends: AppendQueues;
  readonly limits: Limits;
  readonly clock: Clock;
}
