import type { Interceptor } from "@connectrpc/connect";
import { AREAS, type AreaSettings, JOURNAL } from "./areas/index.ts";
import type { Config } from "./config/config.ts";
import { LIMITS } from "./config/limits.ts";
import { type Clock, systemClock } from "./kernel/clock.ts";
import { readServiceKeys } from "./kernel/crypto/service-key-file.ts";
import { ServiceKeys } from "./kernel/crypto/service-keys.ts";
import { faultLog } from "./kernel/fault-log.ts";
import { type Logger, createLogger } from "./kernel/log.ts";
import { Metrics } from "./kernel/metrics.ts";
import type { Fault } from "./kernel/rpc/interceptors/errors.ts";
import { interceptors } from "./kernel/rpc/router.ts";
import { type RunningAreas, startAreas } from "./kernel/start-areas.ts";
import type { AnyEngine } from "./kernel/store/engines/any-engine.ts";
import { Store } from "./kernel/store/store.ts";
import { VERSION } from "./kernel/version.ts";
import { IN_MEMORY, openStore } from "./open-store.ts";

/** What may differ from what the configuration says; what tests choose for themselves. */
export interface AssemblyOptions {
  readonly log?: Logger;
  /** What the server counts in, and shows; its own unless given. */
  readonly metrics?: Metrics | undefined;
  /** Opened and migrated; disposing of the assembly closes it. */
  readonly engine?: AnyEngine;
  /** The time by which everything expires; the system's unless given. */
  readonly clock?: Clock;
  /** Gets what went wrong inside; the log unless given. */
  readonly report?: (fault: Fault) => void;
  readonly tuning?: AreaSettings["tuning"] & { readonly recheckMs?: number };
  /** Gives the start up. */
  readonly signal?: AbortSignal;
}

/** Everything but the port: the store and the areas at work. */
export interface Assembly extends RunningAreas {
  readonly engine: AnyEngine;
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly interceptors: Interceptor[];
}

/** The greatest age of the check of its credential at which a stream sends a message. */
const RECHECK_MS = 1_000;

/** Opens the store and starts the areas. `shutdown` ends the streams. Throws StartError. */
export async function assemble(
  config: Config,
  options: AssemblyOptions & { readonly shutdown?: AbortSignal } = {},
): Promise<Assembly> {
  const { clock = systemClock(), tuning, shutdown } = options;
  const { limits } = config;
  const log = options.log ?? createLogger(config.logLevel);
  const report = options.report ?? faultLog(log);
  const metrics = options.metrics ?? new Metrics(log);
  const serviceKeys = readServiceKeys(config.encryptionKeyFile);
  await using opened = new AsyncDisposableStack();
  const engine = opened.use(options.engine ?? (await openStore(config, log, options.signal)));
  const store = new Store(engine, { journal: JOURNAL, maxQueued: limits.maxQueuedAppends });
  const keys = new ServiceKeys(store, serviceKeys);
  const areas = opened.use(
    await startAreas(AREAS, { store, clock, keys, limits, log, metrics, report }, settingsOf(config, tuning)),
  );
  const recheckMs = tuning?.recheckMs ?? RECHECK_MS;
  const { routes, authenticate, use, work } = areas;
  const passed = interceptors({ routes, authenticate, limits, report, recheckMs, shutdown });
  const closing = opened.move();
  return {
    ...{ engine, store, log, metrics, routes, authenticate, use, work },
    interceptors: passed,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function settingsOf(config: Config, tuning: AssemblyOptions["tuning"]): AreaSettings {
  const tokenDir = config.dataDir === IN_MEMORY ? undefined : config.dataDir;
  return { ...config, version: VERSION, limitTable: LIMITS, tokenDir, tuning };
}
