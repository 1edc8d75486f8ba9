import type { CallOptions } from "../../../kernel/call-options.ts";
import { limitExceeded } from "../../../kernel/errors.ts";
import { wireName } from "../../../kernel/limits.ts";
import type { ServicePrincipal } from "../../../kernel/principal.ts";
import type { StreamsContext } from "../context.ts";
import { NO_STREAM } from "../domain/append.ts";
import type { StreamDeletion } from "../domain/retention.ts";
import { versionConflict } from "../errors.ts";
import { retentionStore } from "../store/stores.ts";
import { REMOVAL_BATCH, truncateInSteps } from "./truncate.ts";

/** The result of a deletion. */
export interface Deleted {
  readonly removed: bigint;
  /** The last version of the stream; undefined when it never had a message. */
  readonly version: bigint | undefined;
}

/**
 * Deletes a stream. A long stream first loses messages step by step, and is deleted as a whole once few are left. That is
 * not done when a version is expected, because a conflict must leave the stream as it is. Throws VERSION_CONFLICT,
 * LIMIT_EXCEEDED.
 */
export async function deleteStream(
  { store, limits }: Pick<StreamsContext, "store" | "limits">,
  { namespaceId }: ServicePrincipal,
  deletion: Omit<StreamDeletion, "maxMessages">,
  options: CallOptions,
): Promise<Deleted> {
  const { streamName, expectedVersion } = deletion;
  const maxMessages = expectedVersion === undefined ? REMOVAL_BATCH : limits.maxConditionalDeleteMessages;
  const retention = retentionStore(store.engine, namespaceId);
  let removed = 0n;
  for (;;) {
    const outcome = await retention.deleteStream({ ...deletion, maxMessages }, options);
    switch (outcome.kind) {
      case "deleted":
        removed += outcome.removed;
        return { removed, version: outcome.version === NO_STREAM ? undefined : outcome.version };
      case "conflict": {
        const expected = { kind: "version", version: expectedVersion ?? NO_STREAM } as const;
        throw versionConflict([{ streamName, expected, actual: outcome.actual }]);
      }
      case "too-long": {
        const limit = wireName("maxConditionalDeleteMessages");
        if (expectedVersion !== undefined)
          throw limitExceeded(limit, maxMessages, Number(outcome.messageCount), "stream_name");
        removed += await truncateInSteps(retention, { streamName, before: outcome.version }, options);
      }
    }
  }
}
