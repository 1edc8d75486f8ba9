import { type LimitName, type LimitSpec, type Limits, wireName } from "../../kernel/limits.ts";
import type { EngineKind } from "../../kernel/store/engine-kind.ts";

/** A bound that the server enforces. */
export interface LimitInfo {
  readonly name: string;
  readonly maximum: number;
  readonly description: string;
}

/** What the server is. */
export interface ServerInfo {
  readonly version: string;
  readonly engine: EngineKind;
  readonly limits: readonly LimitInfo[];
}

/** What the description is made of. */
interface Described {
  readonly version: string;
  readonly engine: EngineKind;
  readonly limits: Limits;
  readonly limitTable: Readonly<Record<LimitName, LimitSpec>>;
}

/** Describes a server of this version and engine with these limits. */
export function describeServer({ version, engine, limits, limitTable }: Described): ServerInfo {
  const names = Object.keys(limitTable) as LimitName[];
  return {
    version,
    engine,
    limits: names.map((name) => ({
      name: wireName(name),
      maximum: limits[name],
      description: limitTable[name].description,
    })),
  };
}
