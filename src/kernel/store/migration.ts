import { SatchelError } from "../errors.ts";

/**
 * One step of an area's schema. A released step never changes, because a store that has taken it does not take it again: a
 * change of the schema is a new step. test/migration/released.test.ts holds the fingerprint of each step, and
 * test/store/sqlite/snapshots what it makes on SQLite.
 */
export interface Migration {
  /** From 1, without gaps, in the sequence of its area and place. */
  readonly version: number;
  readonly name: string;
  /** Any number of statements, without names of schemas. */
  readonly sql: string;
}

/** The steps of one area on one engine. An engine takes a list of these, in which an area comes after those it depends on. */
export interface AreaMigrations {
  readonly area: string;
  /** For the control plane. */
  readonly control: readonly Migration[];
  /** For each namespace. */
  readonly namespace: readonly Migration[];
}

/** The parts of a store that have a schema. */
export type Place = "control" | "namespace";

/** A step with the area it belongs to. */
export interface AreaStep extends Migration {
  readonly area: string;
}

/** The version of each area in one schema. An area that has taken no step there is missing. */
export type AreaVersions = ReadonlyMap<string, number>;

/** The versions of a schema that has taken every step. */
export function latestVersions(areas: readonly AreaMigrations[], place: Place): AreaVersions {
  const versions = areas.map((area) => [area.area, lastVersion(area[place])] as const);
  return new Map(versions.filter(([, version]) => version > 0));
}

/**
 * The steps that a schema has not taken yet, in the order to take them: all steps of an area before those of the next.
 * Throws SCHEMA_OUT_OF_DATE when the schema, called `schema` in the message, is newer than `areas`: it has more steps of an
 * area, or an area that is not in the list.
 */
export function pendingSteps(
  areas: readonly AreaMigrations[],
  place: Place,
  taken: AreaVersions,
  schema: string,
): AreaStep[] {
  const latest = latestVersions(areas, place);
  for (const [area, version] of taken) {
    const known = latest.get(area) ?? 0;
    if (version > known) throw newerSchema(schema, area, version, known);
  }
  return areas.flatMap(({ area, [place]: steps }) =>
    steps.filter(({ version }) => version > (taken.get(area) ?? 0)).map((step) => ({ ...step, area })),
  );
}

function lastVersion(steps: readonly Migration[]): number {
  return steps.at(-1)?.version ?? 0;
}

function newerSchema(schema: string, area: string, version: number, known: number): SatchelError {
  return new SatchelError(
    "SCHEMA_OUT_OF_DATE",
    `the schema ${schema} has version ${version} of the area ${area}, and this server knows ${known}; start a newer server`,
  );
}
