import { MIN_ROOT_TOKEN_CHARACTERS } from "../kernel/crypto/token.ts";
import { type LimitName, type Limits, wireName } from "../kernel/limits.ts";
import { DEFAULT_LIMITS, LIMITS } from "./limits.ts";
import { type Variable, InvalidValue, integer, list, nearest, oneOf, optional, secret, text } from "./variable.ts";

const HOUR_MS = 3_600_000;
/** Connections stay with the worker that was given them; without an end they would not spread over a new one. */
const WORKERS_CONNECTION_AGE_MS = 300_000;

/** Every setting but the limits, which add a variable each. */
const SETTINGS = {
  host: text("SATCHEL_HOST", "127.0.0.1", "address to listen on; 0.0.0.0 or :: for every network"),
  port: integer(
    "SATCHEL_PORT",
    4600,
    [0, 65_535],
    "port for everything: gRPC, gRPC-Web, Connect and HTTP; 0 = any free one",
  ),
  dataDir: text("SATCHEL_DATA_DIR", "./data", "directory of the SQLite files and of the first tokens"),
  databaseUrl: secret("DATABASE_URL", "postgres://… keeps the data in PostgreSQL instead of SQLite", postgresUrl),
  dbPoolSize: integer("SATCHEL_DB_POOL_SIZE", 20, [2, 1_000], "PostgreSQL: connections of this process"),
  workers: integer(
    "SATCHEL_WORKERS",
    1,
    [1, 64],
    "PostgreSQL: processes that share the port, each with connections and limits of its own",
  ),
  maxOpenNamespaces: integer("SATCHEL_MAX_OPEN_NAMESPACES", 256, [1, 10_000], "SQLite: namespace files open at once"),
  retentionIntervalSeconds: integer(
    "SATCHEL_RETENTION_INTERVAL_SECONDS",
    60,
    [1, 86_400],
    "seconds between two searches for messages that retention policies do not keep",
  ),
  storeWaitMs: integer(
    "SATCHEL_STORE_WAIT_MS",
    30_000,
    [0, HOUR_MS],
    "milliseconds to wait at the start for a store that does not answer",
  ),
  rootToken: secret(
    "SATCHEL_ROOT_TOKEN",
    "the operator's token; unset: made at the first start, in <data directory>/root-token",
    rootToken,
  ),
  encryptionKeyFile: optional(
    "SATCHEL_ENCRYPTION_KEY_FILE",
    "file of service keys, 32 bytes in hexadecimal or base64 a line, the newest first; unset: one kept in the store",
  ),
  tlsCert: optional("SATCHEL_TLS_CERT", "file of the certificate chain, PEM; serves TLS"),
  tlsKey: optional("SATCHEL_TLS_KEY", "file of its private key, PEM"),
  tlsClientCa: optional(
    "SATCHEL_TLS_CLIENT_CA",
    "file of the authorities of client certificates, PEM; refuses clients without one",
  ),
  corsOrigins: list("SATCHEL_CORS_ORIGINS", "origins whose pages may call, by commas; * = any", origin),
  logLevel: oneOf(
    "SATCHEL_LOG_LEVEL",
    ["trace", "debug", "info", "warn", "error", "silent"],
    "info",
    "what is logged, as JSON on stderr",
  ),
  keepaliveMs: integer(
    "SATCHEL_KEEPALIVE_MS",
    60_000,
    [1_000, HOUR_MS],
    "milliseconds between pings of an HTTP/2 connection",
  ),
  maxConnectionAgeMs: integer(
    "SATCHEL_MAX_CONNECTION_AGE_MS",
    0,
    [0, 24 * HOUR_MS],
    "milliseconds after which an HTTP/2 client is asked to reconnect; 0 = never, or 300000 where workers are several",
  ),
  rpcAdapter: oneOf<"lean" | "connect">(
    "SATCHEL_RPC_ADAPTER",
    ["lean", "connect"],
    "lean",
    "what runs unary calls and server streams over HTTP/2; connect is slower, and there in case of doubt",
  ),
  drainDelayMs: integer(
    "SATCHEL_DRAIN_DELAY_MS",
    0,
    [0, HOUR_MS],
    "milliseconds between not being ready and refusing connections, at a shutdown",
  ),
  shutdownGraceMs: integer(
    "SATCHEL_SHUTDOWN_GRACE_MS",
    10_000,
    [0, HOUR_MS],
    "milliseconds that calls may take to end, at a shutdown",
  ),
} as const satisfies Record<string, Variable<unknown>>;

type Settings = { readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]["default"] };

/** Everything that can be configured. */
export interface Config extends Settings {
  readonly limits: Limits;
}

/** What is wrong with the configuration: one line for each variable, and no secret in any. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/** The origins of web views, as capacitor://localhost; those of the web are checked by URL. */
const APP_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:-]+$/;

/** What survives in a header. */
const PRINTABLE = /^[!-~]+$/;

const RESERVED_FOR_TESTS = "SATCHEL_TEST_";

const LIMIT_VARIABLES = Object.entries(LIMITS).flatMap(([name, spec]) =>
  "range" in spec
    ? [
        {
          name: name as LimitName,
          variable: integer(limitEnv(name as LimitName), spec.default, spec.range, spec.description),
        },
      ]
    : [],
);

const VARIABLES: readonly Variable<unknown>[] = [
  ...Object.values(SETTINGS),
  ...LIMIT_VARIABLES.map(({ variable }) => variable),
];

/** Reads the configuration from environment variables; an empty one counts as unset. Throws ConfigError. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems = unknownVariables(env);
  const read = <T>(variable: Variable<T>): T => {
    const value = env[variable.env];
    if (value === undefined || value === "") return variable.default;
    try {
      return variable.parse(value);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      problems.push(`${variable.env} ${error.message}${variable.secret ? "" : `, and is ${JSON.stringify(value)}`}`);
      return variable.default;
    }
  };
  const settings = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, variable]) => [name, read<unknown>(variable)]),
  ) as Settings;
  const limits: Limits = {
    ...DEFAULT_LIMITS,
    ...Object.fromEntries(LIMIT_VARIABLES.map(({ name, variable }) => [name, read(variable)])),
  };
  const config = { ...settings, maxConnectionAgeMs: connectionAgeMs(settings), limits };
  problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The table of variables, for `--help`. */
export function configHelp(): string {
  const width = Math.max(...VARIABLES.map(({ env }) => env.length));
  const shownWidth = Math.max(...VARIABLES.map(({ shown }) => shown.length));
  return VARIABLES.map(({ env, shown, help }) => `  ${env.padEnd(width)}  ${shown.padEnd(shownWidth)}  ${help}`).join(
    "\n",
  );
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = VARIABLES.map((variable) => variable.env);
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith("SATCHEL_") && !name.startsWith(RESERVED_FOR_TESTS) && !known.includes(name),
  );
  return unknown.map((name) => {
    const near = nearest(name, known);
    return `${name} is not a setting${near === undefined ? "" : `; did you mean ${near}?`}`;
  });
}

function connectionAgeMs({ workers, maxConnectionAgeMs }: Settings): number {
  return workers > 1 && maxConnectionAgeMs === 0 ? WORKERS_CONNECTION_AGE_MS : maxConnectionAgeMs;
}

function contradictions(config: Config): string[] {
  const problems: string[] = [];
  const { tlsCert, tlsKey, tlsClientCa, limits } = config;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    problems.push("SATCHEL_TLS_CERT and SATCHEL_TLS_KEY must be set together");
  if (config.workers > 1 && config.databaseUrl === undefined)
    problems.push("SATCHEL_WORKERS must be 1 without DATABASE_URL: one process owns the files of SQLite");
  if (tlsClientCa !== undefined && tlsCert === undefined)
    problems.push("SATCHEL_TLS_CLIENT_CA needs SATCHEL_TLS_CERT and SATCHEL_TLS_KEY");
  if (config.corsOrigins.includes("*") && config.corsOrigins.length > 1)
    problems.push("SATCHEL_CORS_ORIGINS must be either * or a list of origins");
  if (limits.maxMessageBytes > limits.maxRequestBytes) {
    problems.push("SATCHEL_MAX_MESSAGE_BYTES must not exceed SATCHEL_MAX_REQUEST_BYTES");
  }
  return problems;
}

function limitEnv(name: LimitName): string {
  return `SATCHEL_${wireName(name).toUpperCase()}`;
}

function postgresUrl(value: string): string {
  if (URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol)) return value;
  throw new InvalidValue("must be a URL that begins with postgres:// or postgresql://");
}

function rootToken(value: string): string {
  if (value.length >= MIN_ROOT_TOKEN_CHARACTERS && PRINTABLE.test(value)) return value;
  throw new InvalidValue(`must be at least ${MIN_ROOT_TOKEN_CHARACTERS} printable characters of ASCII, without spaces`);
}

function origin(value: string): string {
  const web = /^https?:/i.test(value);
  if (value === "*" || (web ? URL.canParse(value) && new URL(value).origin === value : APP_ORIGIN.test(value)))
    return value;
  throw new InvalidValue("must list origins, as https://app.example.com");
}
