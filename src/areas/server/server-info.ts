import { LIMITS, type LimitName, type Limits, wireName } from "../../kernel/limits.ts";
import type { Dialect } from "../../kernel/store/dialect.ts";

/** A bound that the server enforces. */
export interface LimitInfo {
  readonly name: string;
  readonly maximum: number;
  readonly description: string;
}

/** What the server is. */
export interface ServerInfo {
  readonly version: string;
  readonly engine: Dialect["engine"];
  readonly limits: readonly LimitInfo[];
}

/** Describes a server of this version and engine with these limits. */
export function describeServer(version: string, engine: Dialect["engine"], limits: Limits): ServerInfo {
  const names = Object.keys(LIMITS) as LimitName[];
  return {
    version,
    engine,
    limits: names.map((name) => ({
      name: wireName(name),
      maximum: limits[name],
      description: LIMITS[name].description,
    })),
  };
}
