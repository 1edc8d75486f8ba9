import { setTimeout } from "node:timers/promises";
import { type Assembly, type AssemblyOptions, assemble } from "./assembly.ts";
import type { Config } from "./config/config.ts";
import { SatchelError } from "./kernel/errors.ts";
import type { Logger } from "./kernel/log.ts";
import type { EngineKind } from "./kernel/store/engine-kind.ts";
import type { Store } from "./kernel/store/store.ts";
import { Readiness } from "./kernel/transport/readiness.ts";
import { Server, type Timeouts } from "./kernel/transport/server.ts";
import { readTls } from "./kernel/transport/tls-files.ts";
import { VERSION } from "./kernel/version.ts";

export interface AppOptions extends AssemblyOptions {
  readonly timeouts?: Partial<Timeouts>;
}

/** A running server. Disposing of it lets calls end first. */
export interface App extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  readonly engine: EngineKind;
  readonly store: Store;
  /** What an area offers. */
  readonly use: Assembly["use"];
}

/** Builds and starts everything. Throws StartError when what it was given cannot be used. */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const tls = readTls(config);
  await using opened = new AsyncDisposableStack();
  const shutdown = new AbortController();
  const assembly = opened.use(await assemble(config, { ...options, shutdown: shutdown.signal }));
  const { engine, log, metrics } = assembly;
  const readiness = opened.use(new Readiness({ ping: (call) => engine.ping(call), log }));
  const server = new Server({
    ...config,
    ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
    tls,
    routes: assembly.routes,
    interceptors: assembly.interceptors,
    readiness,
    metrics,
    log,
  });
  await server.listen();
  opened.defer(() => drain({ config, readiness, shutdown, server, log }));
  await readiness.start();
  opened.use(assembly.work());
  log.info({ url: server.url, engine: engine.kind, version: VERSION }, "listening");
  if (tls === undefined && !isLoopback(config.host))
    log.warn({ host: config.host }, "listening beyond this machine without TLS: tokens and data travel in the clear");
  const closing = opened.move();
  return {
    url: server.url,
    engine: engine.kind,
    store: assembly.store,
    use: assembly.use,
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

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
