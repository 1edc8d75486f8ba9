#!/usr/bin/env node
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type App, createApp } from "./app.ts";
import { greeting } from "./cli/greeting.ts";
import { PrimaryLink, isWorker, leavePrimary, reportFailure } from "./cli/primary-link.ts";
import { startedOf } from "./cli/worker-messages.ts";
import { killWorkers, runWorkers } from "./cli/workers.ts";
import { type Config, ConfigError, configHelp, readConfig } from "./config/config.ts";
import { type Logger, createLogger } from "./kernel/log.ts";
import { Metrics } from "./kernel/metrics.ts";
import { StartError } from "./kernel/start-error.ts";
import { VERSION } from "./kernel/version.ts";
import { openStore } from "./open-store.ts";

const USAGE = `Satchel ${VERSION}: the storage service behind messaging applications.

  satchel serve         run the server
  satchel migrate       bring the store to this version's schema, and exit
  satchel healthcheck   exit with 0 if the server that runs here is ready, else with 1
  satchel --version     print the version

  satchel serve --help  explains the environment variables that configure all of them
`;
const HELP = `${USAGE}\nEnvironment variables, with what they are unless set:\n\n${configHelp()}\n`;
const HEALTHCHECK_TIMEOUT_MS = 5_000;
/** What comes sooner after a first signal is the same press of a key, by way of npm. */
const SAME_SIGNAL_MS = 200;
const EXIT_STUCK_MS = 1_000;

const COMMANDS: Readonly<Record<string, () => Promise<void>>> = { serve, migrate, healthcheck };

async function main(args: readonly string[]): Promise<void> {
  const [command = "--help", ...rest] = args;
  if (command === "--version" || command === "-v") return print(`${VERSION}\n`);
  if (command === "--help" || command === "-h" || command === "help") return print(USAGE);
  const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (run === undefined) throw new StartError(`there is no command ${JSON.stringify(command)}; see satchel --help`);
  if (rest.includes("--help") || rest.includes("-h")) return print(HELP);
  if (rest.length > 0)
    throw new StartError(
      `${command} takes no arguments; it is configured by environment variables: satchel ${command} --help`,
    );
  await run();
}

async function serve(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLogger(config.logLevel);
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "a fault that nobody has caught");
    process.exit(1);
  });
  const stopping = stopOnSignals();
  if (isWorker()) await serveAsWorker(config, log, stopping);
  else if (config.workers === 1)
    await serveUntil(stopping.signal, config, { log, started: (app) => print(greeting(startedOf(app), config)) });
  else
    process.exitCode = await runWorkers({
      count: config.workers,
      started: (started) => print(greeting(started, config)),
      signal: stopping.signal,
      log,
    });
}

async function serveAsWorker(config: Config, log: Logger, stopping: AbortController): Promise<void> {
  const metrics: Metrics = new Metrics(log, () => link.metricsOfAll());
  const link = new PrimaryLink({ stop: () => stopping.abort(), metrics: () => metrics.snapshot() });
  await serveUntil(stopping.signal, config, { log, metrics, started: (app) => link.started(startedOf(app)) });
  leavePrimary();
}

interface Serving {
  readonly log: Logger;
  readonly metrics?: Metrics;
  readonly started: (app: App) => void | Promise<void>;
}

async function serveUntil(signal: AbortSignal, config: Config, { log, metrics, started }: Serving): Promise<void> {
  try {
    await using app = await createApp(config, { log, signal, metrics });
    await started(app);
    if (!signal.aborted) await once(signal, "abort");
  } catch (error) {
    if (!signal.aborted || !(error instanceof Error) || error.name !== "AbortError") throw error;
  }
}

async function migrate(): Promise<void> {
  const config = readConfig(process.env);
  await using store = await openStore(config, createLogger(config.logLevel));
  print(`The store (${store.kind}) has the schema of Satchel ${VERSION}.\n`);
}

/** Fires at the first signal to stop; a second one ends the process at once. */
function stopOnSignals(): AbortController {
  const stopping = new AbortController();
  let firstAt: number | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (firstAt !== undefined && Date.now() - firstAt > SAME_SIGNAL_MS) {
        killWorkers();
        process.exit(signal === "SIGINT" ? 130 : 143);
      }
      firstAt ??= Date.now();
      stopping.abort();
    });
  }
  return stopping;
}

/** Asks /readyz. With client certificates required, of which it has none, it is content with a server that says so. */
async function healthcheck(): Promise<void> {
  const { host, port, tlsCert, tlsClientCa } = readConfig(process.env);
  const hostname = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const options = { hostname, port, path: "/readyz", timeout: HEALTHCHECK_TIMEOUT_MS };
  const status = await new Promise<number>((resolve) => {
    const asked =
      tlsCert === undefined ? httpRequest(options) : httpsRequest({ ...options, rejectUnauthorized: false });
    asked.on("response", (response) => resolve(response.resume().statusCode ?? 0));
    asked.on("timeout", () => asked.destroy(new Error("timeout")));
    asked.on("error", (error) =>
      resolve(tlsClientCa !== undefined && /certificate required|handshake failure/i.test(error.message) ? 200 : 0),
    );
    asked.end();
  });
  if (status !== 200) throw new StartError(status === 0 ? "no server answers" : `the server is not ready (${status})`);
}

function print(text: string): void {
  process.stdout.write(text);
}

process.stdout.on("error", () => undefined);
try {
  await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof StartError || error instanceof ConfigError;
  const problem = expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (!(await reportFailure(problem))) process.stderr.write(`${problem.replaceAll(/^(?! )/gm, "satchel: ")}\n`);
  process.exitCode = 1;
  leavePrimary();
}
// Nothing should be left to wait for; if something is, it does not keep the process.
setTimeout(() => process.exit(), EXIT_STUCK_MS).unref();
