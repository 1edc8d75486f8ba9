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

/** What the kernel gives to an area. */
export interface Kernel {
  readonly store: Store;
  /** The time for everything that expires. */
  readonly clock: Clock;
  readonly keys: ServiceKeys;
  readonly limits: Limits;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Gets failures whose cause callers must not see. */
  readonly report: (fault: Fault) => void;
  /** The API of another area, which must come before the caller in the list of areas. */
  use<Api>(area: Area<Api, never>): Api;
}

/** An area: one kind of data of the server. */
export interface Area<out Api, in Settings> {
  /** The name of its folder. */
  readonly name: string;
  /** The tables of the control plane. */
  readonly controlEntities?: readonly EntitySchema[];
  /** The tables of each namespace. */
  readonly namespaceEntities?: readonly EntitySchema[];
  /** The schema of its tables, on each engine. */
  readonly migrations?: { readonly [Kind in EngineKind]: AreaMigrations };
  /** Writes messages to the journal. Exactly one area has it. */
  readonly journal?: JournalWriter;
  readonly start: (kernel: Kernel, settings: Settings) => StartedArea<Api> | Promise<StartedArea<Api>>;
}

/** A started area. Disposing of it ends what it has begun. */
export interface StartedArea<out Api> {
  /** What other areas, the commands and tests may use of it. */
  readonly api: Api;
  /** Its RPCs. */
  readonly routes?: Routes;
  /** Authenticates tokens of its kind. */
  readonly authenticate?: Authenticate;
  /** Begins its work in the background, when the server listens. Disposing of the result ends the work. */
  readonly work?: () => AsyncDisposable;
  readonly [Symbol.asyncDispose]?: () => Promise<void>;
}
