import type { Pool, PoolClient } from "pg";
import type { NamespaceId } from "../../../namespace-id.ts";
import {
  type AreaMigrations,
  type AreaStep,
  type AreaVersions,
  latestVersions,
  pendingSteps,
} from "../../migration.ts";
import { CONTROL_SCHEMA, quotedSchema, schemaName } from "./schema-name.ts";

/** The key of the advisory lock that one migrating process holds. Chosen at random, and the same in every version of Satchel. */
const MIGRATION_LOCK = 7_203_151_448_301_662n;

const VERSIONS_TABLE = `
  CREATE SCHEMA IF NOT EXISTS ${CONTROL_SCHEMA};
  CREATE TABLE IF NOT EXISTS ${CONTROL_SCHEMA}.schema_versions (
    -- "satchel" for the control plane, otherwise "ns_" and the id of a namespace.
    schema_name text COLLATE "C" NOT NULL,
    area        text COLLATE "C" NOT NULL,
    -- The last step of the area that the schema has taken.
    version     integer NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schema_name, area)
  );`;

/**
 * Brings the control plane and every namespace to the schema of `areas`, with one transaction for each step: when it is
 * interrupted, the next call continues after the last step that was committed. Processes that migrate at the same time
 * take turns, and the later ones find nothing to do. Rejects with SCHEMA_OUT_OF_DATE when a schema is newer than `areas`.
 */
export async function migrate(pool: Pool, areas: readonly AreaMigrations[]): Promise<void> {
  const client = await pool.connect();
  try {
    // A step on a large database may take longer than the statements of calls are allowed to.
    await client.query("SET statement_timeout = 0");
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await client.query(VERSIONS_TABLE);
    const schemas = await takenVersions(client);
    // Every schema is checked before the first one is changed.
    const pending = [...schemas].flatMap(([schema, taken]) => {
      const place = schema === CONTROL_SCHEMA ? "control" : "namespace";
      return pendingSteps(areas, place, taken, schema).map((step) => ({ schema, step }));
    });
    for (const { schema, step } of pending) await take(client, schema, step);
  } finally {
    // Closing the connection ends its settings and its lock.
    client.release(true);
  }
}

/** The SQL that creates an empty namespace at the schema of `areas`. Several statements without parameters, for a transaction. */
export function provisionSql(id: NamespaceId, areas: readonly AreaMigrations[]): string {
  const schema = quotedSchema(id);
  const steps = areas.flatMap(({ namespace }) => namespace);
  const versions = [...latestVersions(areas, "namespace")];
  return `
    CREATE SCHEMA ${schema};
    SET LOCAL search_path TO ${schema}, pg_temp;
    ${steps.map(({ sql }) => sql).join("\n")}
    SET LOCAL search_path TO DEFAULT;
    INSERT INTO ${CONTROL_SCHEMA}.schema_versions (schema_name, area, version)
    VALUES ${versions.map(([area, version]) => `('${schemaName(id)}', '${area}', ${version})`).join(", ")};`;
}

/** The SQL that removes a namespace, whether or not it exists, one process at a time. */
export function dropSql(id: NamespaceId): string {
  return `
    SELECT pg_advisory_xact_lock(hashtextextended('drop ns_${id}', 0));
    DROP SCHEMA IF EXISTS ${quotedSchema(id)} CASCADE;
    DELETE FROM ${CONTROL_SCHEMA}.schema_versions WHERE schema_name = 'ns_${id}';`;
}

/** The versions of every schema, by its name; the control plane comes first. */
async function takenVersions(client: PoolClient): Promise<Map<string, AreaVersions>> {
  const { rows } = await client.query<{ schema_name: string; area: string; version: number }>(
    `SELECT schema_name, area, version FROM ${CONTROL_SCHEMA}.schema_versions`,
  );
  const schemas = new Map<string, Map<string, number>>([[CONTROL_SCHEMA, new Map()]]);
  for (const { schema_name: schema, area, version } of rows) {
    const versions = schemas.get(schema) ?? new Map<string, number>();
    schemas.set(schema, versions.set(area, version));
  }
  return schemas;
}

async function take(client: PoolClient, schema: string, { area, version, sql }: AreaStep): Promise<void> {
  await client.query(`
    BEGIN;
    SET LOCAL search_path TO "${schema}", pg_temp;
    ${sql}
    INSERT INTO ${CONTROL_SCHEMA}.schema_versions (schema_name, area, version) VALUES ('${schema}', '${area}', ${version})
      ON CONFLICT (schema_name, area) DO UPDATE SET version = excluded.version, updated_at = now();
    COMMIT;`);
}
