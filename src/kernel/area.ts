import type { EntitySchema } from "@mikro-orm/core";
import type { Clock } from "./clock.ts";
import type { ServiceKeys } from "./crypto/service-keys.ts";
import type { Limits } from "./limits.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Authenticate } from "./rpc/authenticate.ts";
import type { Fault } from "./rpc/interceptors/errors.ts";
import type { Routes } from "./rpc/router.ts";
import type { EngineKind } from "./store/engine-kind.ts";
import type { JournalWriter } from "./store/journal-writer.ts";
import type { AreaMigrations } from "./store/migration.ts";
import type { Store } from "./store/store.ts";

/** What an area is built on. */
export interface Kernel {
  readonly store: Store;
  /** The time by which everything expires. */
  readonly clock: Clock;
  readonly keys: ServiceKeys;
  readonly limits: Limits;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Gets what went wrong inside. */
  readonly report: (fault: Fault) => void;
  /** What an area offers to others, which must stand before the caller in the list of areas. */
  use<Api>(area: Area<Api, never>): Api;
}

/** One kind of data that the server keeps, with everything of it. */
export interface Area<out Api, in Settings> {
  /** The name of its folder. */
  readonly name: string;
  /** The tables of the control plane. */
  readonly controlEntities?: readonly EntitySchema[];
  /** The tables of each namespace. */
  readonly namespaceEntities?: readonly EntitySchema[];
  /** The schema of its tables, on each engine. */
  readonly migrations?: { readonly [Kind in EngineKind]: AreaMigrations };
  /** How changes of state are noted, by the one area that keeps the journal. */
  readonly journal?: JournalWriter;
  readonly start: (kernel: Kernel, settings: Settings) => StartedArea<Api> | Promise<StartedArea<Api>>;
}

/** An area at work. Disposing of it ends what it has begun. */
export interface StartedArea<out Api> {
  /** What other areas, and whoever starts the server, may use of it. */
  readonly api: Api;
  /** Its RPCs. */
  readonly routes?: Routes;
  /** Finds out who holds tokens of its kind. */
  readonly authenticate?: Authenticate;
  /** Begins its work in the background, once the server listens; disposing of what it returns ends that. */
  readonly work?: () => AsyncDisposable;
  readonly [Symbol.asyncDispose]?: () => Promise<void>;
}
