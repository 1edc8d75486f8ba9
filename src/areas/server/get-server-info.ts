import { type LimitName, type LimitSpec, type Limits, wireName } from "../../kernel/limits.ts";
import type { EngineKind } from "../../kernel/store/engine-kind.ts";

/** A limit that the server enforces. */
export interface LimitInfo {
  readonly name: string;
  readonly maximum: number;
  readonly description: string;
}

/** What GetServerInfo returns. */
export interface ServerInfo {
  readonly version: string;
  readonly engine: EngineKind;
  readonly limits: readonly LimitInfo[];
}

/** The parts of the information. */
interface ServerInfoParts {
  readonly version: string;
  readonly engine: EngineKind;
  readonly limits: Limits;
  readonly limitTable: Readonly<Record<LimitName, LimitSpec>>;
}

/** Describes the server: its version, its engine and the values of its limits. */
export function getServerInfo({ version, engine, limits, limitTable }: ServerInfoParts): ServerInfo {
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
