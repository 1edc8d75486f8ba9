import type { AreaMigrations, Migration } from "../../src/kernel/store/migration.ts";

/**
 * The migrations of an invented later release, for either engine: one more step in the control plane and in each namespace, and an
 * area of its own.
 */
export function nextRelease(areas: readonly AreaMigrations[]): AreaMigrations[] {
  return [...areas.map(withNextSteps), NOTES];
}

const NOTES: AreaMigrations = {
  area: "notes",
  control: [{ version: 1, name: "note kinds", sql: "CREATE TABLE note_kinds (id text NOT NULL PRIMARY KEY);" }],
  namespace: [{ version: 1, name: "notes", sql: "CREATE TABLE notes (id text NOT NULL PRIMARY KEY, kind text);" }],
};

function withNextSteps({ area, control, namespace }: AreaMigrations): AreaMigrations {
  switch (area) {
    case "namespaces":
      return {
        area,
        control: [...control, nextStep(control, "ALTER TABLE settings ADD COLUMN note text;")],
        namespace,
      };
    case "streams": {
      const sql = "ALTER TABLE messages ADD COLUMN note text; CREATE INDEX messages_note ON messages (note);";
      return { area, control, namespace: [...namespace, nextStep(namespace, sql)] };
    }
    default:
      return { area, control, namespace };
  }
}

/** The step that follows `steps`. */
export function nextStep(steps: readonly Migration[], sql: string): Migration {
  return { version: steps.length + 1, name: "next", sql };
}
