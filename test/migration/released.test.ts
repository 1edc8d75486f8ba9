import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { STORE_SCHEMA } from "../../src/areas/index.ts";
import type { AreaMigrations, Migration } from "../../src/kernel/store/migration.ts";

function fingerprints(steps: readonly Migration[]): string[] {
  return steps.map(({ sql }) => createHash("sha256").update(sql).digest("hex").slice(0, 16));
}

function released(areas: readonly AreaMigrations[]): unknown {
  return Object.fromEntries(
    areas.map(({ area, control, namespace }) => [
      area,
      { control: fingerprints(control), namespace: fingerprints(namespace) },
    ]),
  );
}

// A database that has taken a step does not take it again: a change is a new step, and its fingerprint is added here.
test("no step of a schema is changed once it was released", () => {
  expect({ postgresql: released(STORE_SCHEMA.migrations.postgresql), sqlite: released(STORE_SCHEMA.migrations.sqlite) })
    .toMatchInlineSnapshot(`
      {
        "postgresql": {
          "groups": {
            "control": [],
            "namespace": [
              "6e0e1274707c698a",
            ],
          },
          "namespaces": {
            "control": [
              "ecdfe796e8de56e7",
            ],
            "namespace": [],
          },
          "sessions": {
            "control": [],
            "namespace": [
              "cdc346c2484a5fd6",
            ],
          },
          "streams": {
            "control": [
              "78bc9b992aca835a",
            ],
            "namespace": [
              "389be4b93f0f629d",
            ],
          },
        },
        "sqlite": {
          "groups": {
            "control": [],
            "namespace": [
              "0c81c446bd7ff791",
            ],
          },
          "namespaces": {
            "control": [
              "ad5e1a073977af19",
            ],
            "namespace": [],
          },
          "sessions": {
            "control": [],
            "namespace": [
              "80f82597af1d74f3",
            ],
          },
          "streams": {
            "control": [
              "dd10b599c0b7d0ce",
            ],
            "namespace": [
              "fc5d86c9c0632ad4",
            ],
          },
        },
      }
    `);
});

test.for([
  { engine: "postgresql", areas: STORE_SCHEMA.migrations.postgresql },
  { engine: "sqlite", areas: STORE_SCHEMA.migrations.sqlite },
])("$engine lists an area once, and its steps from 1 without gaps", ({ areas }) => {
  expect(new Set(areas.map(({ area }) => area)).size).toBe(areas.length);
  for (const steps of areas.flatMap(({ control, namespace }) => [control, namespace])) {
    expect(steps.map(({ version }) => version)).toEqual(steps.map((_, index) => index + 1));
  }
});

test("the engines have the same areas, in the same order", () => {
  expect(STORE_SCHEMA.migrations.postgresql.map(({ area }) => area)).toEqual(
    STORE_SCHEMA.migrations.sqlite.map(({ area }) => area),
  );
});
