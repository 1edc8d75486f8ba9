import { setTimeout } from "node:timers/promises";
import type { Clock } from "../../../kernel/clock.ts";
import { SatchelError } from "../../../kernel/errors.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { retentionStore } from "../store/stores.ts";
import { SweepEntity } from "../store/sweep.ts";
import { sweepNamespace } from "./retention-step.ts";

/** What a sweeper works with. */
export interface SweeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** How long after a sweep of all namespaces the next one begins. */
  readonly intervalMs: number;
  /** How many messages are looked at, and removed, in one step. */
  readonly batch: number;
  /** How long the sweeper leaves the store alone after each step that has removed something. */
  readonly pauseMs: number;
  /** Called with the number of messages that a step has removed. */
  readonly removed: (count: number) => void;
  /** Called with the reason why a namespace could not be swept; the next sweep tries again. */
  readonly failed: (error: unknown, namespaceId: NamespaceId | undefined) => void;
}

/** How long a replica claims a namespace for; it renews the claim after its steps. */
const CLAIM_MICROS = 60_000_000n;
/** How many namespaces are looked up at once. */
const PAGE = 100;
const MICROS_PER_MS = 1_000;

interface Due {
  readonly namespaceId: NamespaceId;
  readonly revision: bigint;
}

/**
 * Enforces the retention policies, namespace after namespace, in small steps. Only namespaces that have had a policy are
 * looked at. Replicas share them: each claims a namespace in the control plane before it sweeps it.
 */
export class Sweeper implements AsyncDisposable {
  readonly #options: SweeperOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Sweeps at intervals, until the sweeper is disposed of. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Sweeps every namespace that is due, once. */
  async sweep(): Promise<void> {
    for (;;) {
      const due = await this.#due();
      for (const one of due) {
        if (this.#stopping.signal.aborted) return;
        await this.#sweep(one);
      }
      if (due.length < PAGE) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new SatchelError("SHUTTING_DOWN", "the server is shutting down"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { intervalMs, failed } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // The timer does not keep the process alive.
      await setTimeout(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.sweep().catch((error: unknown) => failed(error, undefined));
    }
  }

  async #sweep(due: Due): Promise<void> {
    const { store, clock, batch, failed } = this.#options;
    const { signal } = this.#stopping;
    try {
      if (!(await this.#claim(due))) return;
      const nowMicros = clock();
      let renewed = nowMicros;
      const stepped = async (removed: number): Promise<void> => {
        await this.#stepped(removed);
        if (clock() - renewed < CLAIM_MICROS / 3n) return;
        renewed = clock();
        await this.#postpone(due, renewed + CLAIM_MICROS);
      };
      const retention = retentionStore(store.engine, due.namespaceId);
      const hasPolicies = await sweepNamespace({ retention, nowMicros, batch, signal, stepped });
      if (hasPolicies) await this.#postpone(due, nowMicros + this.#halfInterval);
      else await this.#forget(due);
    } catch (error) {
      if (error instanceof SatchelError && error.reason === "NAMESPACE_NOT_FOUND") await this.#forget(due);
      else if (!signal.aborted) failed(error, due.namespaceId);
    }
  }

  async #stepped(count: number): Promise<void> {
    if (count === 0) return;
    const { removed, pauseMs } = this.#options;
    removed(count);
    await setTimeout(pauseMs, undefined, { signal: this.#stopping.signal });
  }

  /** After this time a namespace is due again, for whichever replica looks next. */
  get #halfInterval(): bigint {
    return BigInt(Math.floor((this.#options.intervalMs * MICROS_PER_MS) / 2));
  }

  async #due(): Promise<readonly Due[]> {
    const dueTime = { $lte: this.#options.clock() };
    const rows = await this.#options.store.read((em) =>
      em.find(SweepEntity, { dueTime }, { orderBy: { dueTime: "asc", namespaceId: "asc" }, limit: PAGE }),
    );
    return rows.map(({ namespaceId, revision }) => ({ namespaceId: namespaceId as NamespaceId, revision }));
  }

  /** Claims a namespace for this replica; returns false when it was not due any more. */
  async #claim({ namespaceId, revision }: Due): Promise<boolean> {
    const now = this.#options.clock();
    const changed = await this.#options.store.transact((em) =>
      em.nativeUpdate(SweepEntity, { namespaceId, revision, dueTime: { $lte: now } }, { dueTime: now + CLAIM_MICROS }),
    );
    return changed > 0;
  }

  /** Sets when the namespace is due next, unless a policy has been set meanwhile: then it stays due. */
  async #postpone({ namespaceId, revision }: Due, dueTime: bigint): Promise<void> {
    await this.#options.store.transact((em) => em.nativeUpdate(SweepEntity, { namespaceId, revision }, { dueTime }));
  }

  /** Looks at the namespace no more, unless a policy has been set meanwhile. */
  async #forget({ namespaceId, revision }: Due): Promise<void> {
    await this.#options.store.transact((em) => em.nativeDelete(SweepEntity, { namespaceId, revision }));
  }
}
