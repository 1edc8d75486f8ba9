import { type LimitName, wireName } from "../kernel/limits.ts";
import { LIMITS } from "./limits.ts";
import { appOrWebOrigin, operatorToken, postgresUrl } from "./parsers.ts";
import { integer, list, oneOf, optional, secret, text, type Variable } from "./variable.ts";

const HOUR_MS = 3_600_000;

/** The settings, without the limits: variable, default, range, help. */
export const SETTINGS = {
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
    operatorToken,
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
  corsOrigins: list("SATCHEL_CORS_ORIGINS", "origins whose pages may call, by commas; * = any", appOrWebOrigin),
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

/** The limits that can be configured, each by a variable of its name. */
export const LIMIT_SETTINGS: readonly { readonly name: LimitName; readonly variable: Variable<number> }[] = (
  Object.keys(LIMITS) as LimitName[]
).flatMap((name) => {
  const spec = LIMITS[name];
  if (!("range" in spec)) return [];
  const env = `SATCHEL_${wireName(name).toUpperCase()}`;
  return [{ name, variable: integer(env, spec.default, spec.range, spec.description) }];
});

/** Every environment variable. */
export const VARIABLES: readonly Variable<unknown>[] = [
  ...Object.values(SETTINGS),
  ...LIMIT_SETTINGS.map(({ variable }) => variable),
];
