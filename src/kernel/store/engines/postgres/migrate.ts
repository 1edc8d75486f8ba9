import type { Pool, PoolClient } from "pg";
import { SatchelError } from "../../../errors.ts";
import type { NamespaceId } from "../../../namespace-id.ts";
import { CONTROL_MIGRATIONS, type Migration, NAMESPACE_MIGRATIONS } from "./migrations/index.ts";
import { CONTROL_SCHEMA, quotedSchema } from "./schema-name.ts";

/** The key of the lock that lets one process migrate at a time; chosen at random once, for every version of Satchel. */
const MIGRATION_LOCK = 7_203_151_448_301_662n;

/** The steps of both kinds of schema. */
export interface Schemas {
  readonly control: readonly Migration[];
  readonly namespace: readonly Migration[];
}

/** The schemas of this release. */
export const RELEASED: Schemas = { control: CONTROL_MIGRATIONS, namespace: NAMESPACE_MIGRATIONS };

const VERSIONS_TABLE = `
  CREATE SCHEMA IF NOT EXISTS ${CONTROL_SCHEMA};
  CREATE TABLE IF NOT EXISTS ${CONTROL_SCHEMA}.schema_versions (
    -- "satchel" for the control plane, otherwise the id of a namespace behind "ns_".
    schema_name text COLLATE "C" PRIMARY KEY,
    version     integer NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
  );`;

/**
 * Brings the control plane and every namespace to this release's schema, one transaction per step. Several processes may
 * do so at once: they take turns, and the later ones find nothing to do. Rejects with SCHEMA_OUT_OF_DATE when the
 * database is of a later release.
 */
export async function migrate(pool: Pool, schemas: Schemas = RELEASED): Promise<void> {
  const client = await pool.connect();
  try {
    // The work of a big database may take longer than any single statement of a call.
    await client.query("SET statement_timeout = 0");
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await client.query(VERSIONS_TABLE);
    const { rows } = await client.query<{ schema_name: string; version: number }>(
      `SELECT schema_name, version FROM ${CONTROL_SCHEMA}.schema_versions`,
    );
    const versions = new Map(rows.map((row) => [row.schema_name, row.version]));
    await upgrade(client, CONTROL_SCHEMA, CONTROL_SCHEMA, versions.get(CONTROL_SCHEMA) ?? 0, schemas.control);
    for (const [name, version] of versions) {
      if (name !== CONTROL_SCHEMA) await upgrade(client, name, `"${name}"`, version, schemas.namespace);
    }
  } finally {
    // The connection's settings and its lock end with it.
    client.release(true);
  }
}

/** The SQL that makes an empty namespace. Runs inside a transaction; several statements, no parameters. */
export function provisionSql(id: NamespaceId, { namespace }: Schemas = RELEASED): string {
  const schema = quotedSchema(id);
  return `
    CREATE SCHEMA ${schema};
    SET LOCAL search_path TO ${schema}, pg_temp;
    ${namespace.map(({ sql }) => sql).join("\n")}
    SET LOCAL search_path TO DEFAULT;
    INSERT INTO ${CONTROL_SCHEMA}.schema_versions (schema_name, version) VALUES ('ns_${id}', ${namespace.length});`;
}

/** The SQL that removes a namespace, whether or not it is there, one process at a time. */
export function dropSql(id: NamespaceId): string {
  return `
    SELECT pg_advisory_xact_lock(hashtextextended('drop ns_${id}', 0));
    DROP SCHEMA IF EXISTS ${quotedSchema(id)} CASCADE;
    DELETE FROM ${CONTROL_SCHEMA}.schema_versions WHERE schema_name = 'ns_${id}';`;
}

async function upgrade(
  client: PoolClient,
  name: string,
  schema: string,
  version: number,
  migrations: readonly Migration[],
): Promise<void> {
  if (version > migrations.length) {
    throw new SatchelError(
      "SCHEMA_OUT_OF_DATE",
      `the schema ${name} has version ${version}, and this release of Satchel knows ${migrations.length}; start a newer one`,
    );
  }
  for (const migration of migrations.slice(version)) {
    await client.query(`
      BEGIN;
      SET LOCAL search_path TO ${schema}, pg_temp;
      ${migration.sql}
      INSERT INTO ${CONTROL_SCHEMA}.schema_versions (schema_name, version) VALUES ('${name}', ${migration.version})
        ON CONFLICT (schema_name) DO UPDATE SET version = excluded.version, updated_at = now();
      COMMIT;`);
  }
}
