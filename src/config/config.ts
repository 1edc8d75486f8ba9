import type { Limits } from "../kernel/limits.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { unknownVariables } from "./unknown-variables.ts";
import { InvalidValue, type Variable } from "./variable.ts";
import { LIMIT_SETTINGS, SETTINGS } from "./variables.ts";

type Settings = { readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]["default"] };

/** Everything that can be configured. */
export interface Config extends Settings {
  readonly limits: Limits;
}

/** The problems of the configuration: one line for each variable, without the value of a secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/** Environment variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A connection stays with the worker that accepted it, so only new connections spread over the workers. */
const WORKERS_CONNECTION_AGE_MS = 300_000;

/** Reads the configuration from environment variables; an empty one counts as unset. Throws ConfigError. */
export function readConfig(env: Environment): Config {
  const problems = unknownVariables(env);
  const read = <T>(variable: Variable<T>): T => readVariable(env, variable, problems);
  const settings = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, variable]) => [name, read<unknown>(variable)]),
  ) as Settings;
  const limits: Limits = {
    ...DEFAULT_LIMITS,
    ...Object.fromEntries(LIMIT_SETTINGS.map(({ name, variable }) => [name, read(variable)])),
  };
  const config = { ...settings, maxConnectionAgeMs: connectionAgeMs(settings), limits };
  problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The value of a variable; its default when it is unset, or when it is invalid and its problem was added. */
function readVariable<T>(env: Environment, variable: Variable<T>, problems: string[]): T {
  const value = env[variable.env];
  if (value === undefined || value === "") return variable.default;
  try {
    return variable.parse(value);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    problems.push(`${variable.env} ${error.message}${variable.secret ? "" : `, and is ${JSON.stringify(value)}`}`);
    return variable.default;
  }
}

function connectionAgeMs({ workers, maxConnectionAgeMs }: Settings): number {
  return workers > 1 && maxConnectionAgeMs === 0 ? WORKERS_CONNECTION_AGE_MS : maxConnectionAgeMs;
}

/** One line for each rule that several variables break together. */
function contradictions(config: Config): readonly string[] {
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
