import { LockMode } from "@mikro-orm/core";
import { setTimeout as delay } from "node:timers/promises";
import { SatchelError } from "../../kernel/errors.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import { nextTurn } from "../../kernel/next-turn.ts";
import { NamespaceEntity } from "../namespaces/store/namespace.ts";
import type { SessionContext } from "./context.ts";
import { expireTimeOf, statusOf } from "./domain/session.ts";
import { journalSession } from "./journal.ts";
import { SessionEntity } from "./store/session.ts";

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

/** Small enough that nobody notices a batch. */
const BATCH = 200;

/** Deletes sessions that nobody needs any more. */
export class SessionSweep {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Deletes up to `limit` sessions, the longest due first, in batches. Returns how many. */
  async sweep(namespaceId: NamespaceId, limit: number, signal?: AbortSignal): Promise<number> {
    let deleted = 0;
    while (deleted < limit && (await this.#isDue(namespaceId))) {
      const batch = await this.#sweepBatch(namespaceId, Math.min(BATCH, limit - deleted));
      deleted += batch.deleted;
      if (batch.seen === 0) break;
      await nextTurn(signal);
    }
    return deleted;
  }

  /** Sweeps all namespaces, over and over, until the signal fires. Any number of processes may do so. */
  async run({ intervalMs, maxNamespaces, signal, failed }: SweepOptions): Promise<void> {
    let after: NamespaceId | undefined;
    while (!signal.aborted) {
      try {
        const ids = await this.#namespaces(after, maxNamespaces);
        after = ids.length < maxNamespaces ? undefined : ids.at(-1);
        for (const id of ids) {
          signal.throwIfAborted();
          await this.sweep(id, Number.POSITIVE_INFINITY, signal).catch((error: unknown) => {
            if (!signal.aborted && !isGone(error)) failed(id, error);
          });
        }
      } catch (error) {
        if (!signal.aborted) failed(undefined, error);
      }
      await delay(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Nothing to do is the usual case, and costs no transaction. */
  #isDue(namespaceId: NamespaceId): Promise<boolean> {
    const { store, clock } = this.#context;
    return store.readNamespace(namespaceId, async (em) => {
      const condition = { sweepTime: { $lte: clock() } };
      return (await em.findOne(SessionEntity, condition, { fields: ["id"] })) !== null;
    });
  }

  /** What is due and yet in use was touched since: it is looked at again when it expires next. */
  async #sweepBatch(
    namespaceId: NamespaceId,
    limit: number,
  ): Promise<{ readonly seen: number; readonly deleted: number }> {
    const { store, clock } = this.#context;
    return store.aloneInNamespace(namespaceId, async (unit) => {
      const now = clock();
      const due = await unit.em.find(
        SessionEntity,
        { sweepTime: { $lte: now } },
        { orderBy: { sweepTime: "asc" }, limit, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
      );
      let deleted = 0;
      for (const session of due) {
        const status = statusOf(session, now);
        if (status === "active") {
          session.sweepTime = expireTimeOf(session);
          continue;
        }
        const { lastActivityTime, createTime } = session;
        const seconds = Number(lastActivityTime - createTime) / 1e6;
        if (status === "expired") journalSession(unit, session, "SessionExpired", { durationSeconds: seconds });
        unit.em.remove(session);
        deleted++;
      }
      return { seen: due.length, deleted };
    });
  }

  async #namespaces(after: NamespaceId | undefined, limit: number): Promise<readonly NamespaceId[]> {
    const beyond = after === undefined ? {} : { id: { $gt: after as string } };
    const rows = await this.#context.store.read((em) =>
      em.find(NamespaceEntity, { state: "active", ...beyond }, { orderBy: { id: "asc" }, limit }),
    );
    return rows.map(({ id }) => id as NamespaceId);
  }
}

/** Whether the namespace has been deleted meanwhile. */
function isGone(error: unknown): boolean {
  return error instanceof SatchelError && error.reason === "NAMESPACE_NOT_FOUND";
}
