import { setTimeout } from "node:timers/promises";
import { Consumers } from "./areas/groups/delivery/consumers.ts";
import { bootstrap, type Bootstrapped } from "./areas/namespaces/bootstrap.ts";
import { type FirstToken, readToken, saveToken } from "./areas/namespaces/token-files.ts";
import { Feed, type FeedOptions } from "./areas/streams/feed/feed.ts";
import { Sweeper } from "./areas/streams/retention/retention-sweeper.ts";
import { REMOVAL_BATCH } from "./areas/streams/retention/retention.ts";
import type { Config } from "./config/config.ts";
import { systemClock } from "./kernel/clock.ts";
import { readServiceKeys } from "./kernel/crypto/service-key-file.ts";
import { SatchelError } from "./kernel/errors.ts";
import { faultLog } from "./kernel/fault-log.ts";
import { type Logger, createLogger } from "./kernel/log.ts";
import { Metrics } from "./kernel/metrics.ts";
import { DEFAULT_NAMESPACE } from "./kernel/namespace-id.ts";
import { interceptors, routes } from "./kernel/rpc/router.ts";
import type { Dialect } from "./kernel/store/dialect.ts";
import { Store } from "./kernel/store/store.ts";
import { Readiness } from "./kernel/transport/readiness.ts";
import { Server, type Timeouts } from "./kernel/transport/server.ts";
import { readTls } from "./kernel/transport/tls-files.ts";
import { IN_MEMORY, openStore } from "./open-store.ts";
import { type Services, createServices } from "./services.ts";
import { VERSION } from "./version.ts";

/** What tests choose for themselves. */
export interface Overrides {
  readonly log?: Logger;
  /** Opened and migrated; the app closes it. */
  readonly dialect?: Dialect;
  readonly timeouts?: Partial<Timeouts>;
  readonly feed?: FeedOptions;
}

interface CreateOptions extends Overrides {
  /** Gives the start up. */
  readonly signal?: AbortSignal;
  /** What the server counts in, and shows; its own unless given. */
  readonly metrics?: Metrics | undefined;
}

/** A running server. Disposing of it lets calls end first. */
export interface App extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  readonly engine: Dialect["engine"];
  /** What the first start of this store has made; also in the data directory, unless that is in memory. */
  readonly made: Bootstrapped;
  /** Whether the file of the namespace `default` holds a token of it. */
  readonly hasDefaultToken: boolean;
}

const BATCH = { maxMessages: 1_000, maxBytes: 4 * 1024 * 1024, maxCategories: 64 };
const LOCK_TIMEOUT_MS = 1_000;
const MAX_LOCK_WAITERS = 2;
const GAUGE_TIMEOUT_MS = 1_000;
/** After each step of a sweep, so that it takes a small part of the store's time. */
const SWEEP_PAUSE_MS = 20;
const SESSION_SWEEP = { intervalMs: 60_000, maxNamespaces: 100 };
const FEED = { window: { maxMessages: 2_000, maxBytes: 4 * 1024 * 1024 }, pollIntervalMs: 1_000 };

/** Builds and starts everything. Throws StartError when what it was given cannot be used. */
export async function createApp(config: Config, overrides: CreateOptions = {}): Promise<App> {
  const log = overrides.log ?? createLogger(config.logLevel);
  const tls = readTls(config);
  const serviceKeys = readServiceKeys(config.encryptionKeyFile);
  await using opened = new AsyncDisposableStack();
  const dialect = opened.use(overrides.dialect ?? (await openStore(config, log, overrides.signal)));
  const { limits, rootToken } = config;
  const store = new Store(dialect, {
    ...BATCH,
    maxQueued: limits.maxQueuedAppends,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    maxLockWaiters: MAX_LOCK_WAITERS,
  });
  const made = await bootstrap(store, { rootToken });
  if (config.dataDir !== IN_MEMORY) saveTokens(config.dataDir, made);

  const feed = opened.use(new Feed(store, overrides.feed ?? FEED));
  store.watch((...news) => feed.wake(...news));
  const report = (cause: unknown): void => log.error({ err: cause }, "consumer groups have failed inside");
  const consumers = opened.use(new Consumers({ store, feed, clock: systemClock(), report }));
  store.watch((...news) => consumers.wake(...news));
  const services = createServices({ store, feed, consumers, limits, version: VERSION, rootToken, serviceKeys });
  opened.use(sweepSessions(services, log));
  const readiness = opened.use(new Readiness({ ping: (options) => dialect.ping(options), log }));
  const metrics = overrides.metrics ?? new Metrics(log);
  watchWriters(dialect, metrics);
  const shutdown = new AbortController();
  const dependencies = { services, limits, log: faultLog(log), shutdown: shutdown.signal };
  const server = new Server({
    ...config,
    ...(overrides.timeouts === undefined ? {} : { timeouts: overrides.timeouts }),
    tls,
    routes: routes(dependencies),
    interceptors: interceptors(dependencies),
    readiness,
    metrics,
    log,
  });
  await server.listen();
  opened.defer(() => drain({ config, readiness, shutdown, server, log }));
  await readiness.start();
  opened.use(sweeperOf(store, config, metrics, log)).start();
  log.info({ url: server.url, engine: dialect.engine, version: VERSION }, "listening");
  if (tls === undefined && !isLoopback(config.host))
    log.warn({ host: config.host }, "listening beyond this machine without TLS: tokens and data travel in the clear");

  const hasDefaultToken =
    made.defaultNamespaceToken !== undefined ||
    (await opensDefault(services, readToken(config.dataDir, "defaultNamespaceToken")));
  const closing = opened.move();
  return {
    url: server.url,
    engine: dialect.engine,
    made,
    hasDefaultToken,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

interface Draining {
  readonly config: Config;
  readonly readiness: Readiness;
  readonly shutdown: AbortController;
  readonly server: Server;
  readonly log: Logger;
}

/** Tells the load balancer, then the streams, then waits for the calls that are left. */
async function drain({ config, readiness, shutdown, server, log }: Draining): Promise<void> {
  log.info({ graceMs: config.shutdownGraceMs }, "shutting down");
  readiness.drain();
  await setTimeout(config.drainDelayMs);
  shutdown.abort(new SatchelError("SHUTTING_DOWN", "the server is shutting down", { retryAfterMs: 1_000 }));
  await server.close(config.shutdownGraceMs);
  log.info("shut down");
}

/** Deletes expired sessions in the background until it is disposed of. */
function sweepSessions({ sessions }: Services, log: Logger): AsyncDisposable {
  const stop = new AbortController();
  const running = sessions.sweep.run({
    ...SESSION_SWEEP,
    signal: stop.signal,
    failed: (namespaceId, error) => log.warn({ err: error, namespaceId }, "expired sessions could not be deleted"),
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

function watchWriters(dialect: Dialect, metrics: Metrics): void {
  metrics.gauge(
    "satchel_store_oldest_writer_seconds",
    "How long the oldest append has not been committed; reads of a whole namespace stop before it.",
    () => dialect.oldestWriterSeconds({ signal: AbortSignal.timeout(GAUGE_TIMEOUT_MS) }),
    // Every process of a store sees the same writers.
    "max",
  );
}

function sweeperOf(store: Store, config: Config, metrics: Metrics, log: Logger): Sweeper {
  return new Sweeper({
    store,
    clock: systemClock(),
    intervalMs: config.retentionIntervalSeconds * 1_000,
    batch: REMOVAL_BATCH,
    pauseMs: SWEEP_PAUSE_MS,
    removed: metrics.counter(
      "satchel_retention_removed_messages_total",
      "Messages that were removed because a retention policy does not keep them.",
    ),
    failed: (err, namespaceId) => log.warn({ err, namespaceId }, "retention could not be enforced; it is tried again"),
  });
}

function saveTokens(directory: string, made: Bootstrapped): void {
  for (const [token, value] of Object.entries(made)) saveToken(directory, token as FirstToken, value);
}

async function opensDefault({ tokens }: Services, token: string | undefined): Promise<boolean> {
  if (token === undefined) return false;
  try {
    const principal = await tokens.authenticate(token);
    return principal.kind === "service" && principal.namespaceId === DEFAULT_NAMESPACE;
  } catch {
    return false;
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
