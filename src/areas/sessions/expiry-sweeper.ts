import { setTimeout as delay } from "node:timers/promises";
import { SatchelError } from "../../kernel/errors.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import { activeNamespaces } from "../../kernel/store/active-namespaces.ts";
import type { SessionContext } from "./context.ts";
import { deleteExpired } from "./delete-expired.ts";

/** How a sweep in the background works. */
export interface SweepOptions {
  /** How long it rests between two rounds. */
  readonly intervalMs: number;
  /** At most this many namespaces in one round; the next one goes on with those after them. */
  readonly maxNamespaces: number;
  readonly signal: AbortSignal;
  /** Told of a namespace that could not be swept; the sweep goes on. */
  readonly failed: (namespaceId: NamespaceId | undefined, error: unknown) => void;
}

/** Deletes expired sessions of all namespaces, over and over, until the signal fires. Any number of processes may do so. */
export async function sweepExpired(context: SessionContext, options: SweepOptions): Promise<void> {
  const { intervalMs, maxNamespaces, signal, failed } = options;
  let after: NamespaceId | undefined;
  while (!signal.aborted) {
    try {
      const ids = await activeNamespaces(context.store, after, maxNamespaces);
      after = ids.length < maxNamespaces ? undefined : ids.at(-1);
      for (const namespaceId of ids) {
        signal.throwIfAborted();
        await deleteExpired(context, { namespaceId, limit: Number.POSITIVE_INFINITY, signal }).catch(
          (error: unknown) => {
            if (!signal.aborted && !isGone(error)) failed(namespaceId, error);
          },
        );
      }
    } catch (error) {
      if (!signal.aborted) failed(undefined, error);
    }
    await delay(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** Whether the namespace has been deleted meanwhile. */
function isGone(error: unknown): boolean {
  return error instanceof SatchelError && error.reason === "NAMESPACE_NOT_FOUND";
}
