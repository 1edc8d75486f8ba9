import type { EntitySchema } from "@mikro-orm/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORE_SCHEMA } from "../../src/areas/index.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { statement } from "../../src/kernel/store/statement.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { columnName, tableOf } from "../../src/kernel/store/table.ts";
import { ENGINES, openEngine, type TestEngine } from "../support/engines.ts";
import { storeOn } from "../support/stores.ts";

const NAMESPACE = "entities" as NamespaceId;

/** The columns of the table `$2` in the schema `$1`, in their order. */
const COLUMNS = statement(
  { name: "text", type: "text", nullable: "boolean" },
  {
    postgresql: `SELECT column_name, data_type, is_nullable = 'YES' FROM information_schema.columns
      WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`,
    sqlite: `SELECT name, type, "notnull" = 0 FROM pragma_table_info($2) WHERE $1 IS NOT NULL ORDER BY cid`,
  },
);

const TYPES = {
  postgresql: { text: "text", integer: "integer", int64: "bigint", boolean: "boolean", bytes: "bytea" },
  sqlite: { text: "TEXT", integer: "INTEGER", int64: "INTEGER", boolean: "INTEGER", bytes: "BLOB" },
} as const;

const nameOf = (entity: EntitySchema) => [entity.meta.tableName, entity] as const;

describe.each(ENGINES)("on %s the migrations create the table that the entity declares", (name) => {
  let engine: TestEngine | undefined;
  let store: Store;
  beforeAll(async () => {
    engine = await openEngine(name);
    store = storeOn(engine.engine);
    await store.transact((em) => store.engine.provisionNamespace(NAMESPACE, em));
  });
  afterAll(async () => engine?.[Symbol.asyncDispose]());

  function declared(entity: EntitySchema) {
    const properties: Readonly<Record<string, { readonly nullable?: boolean | undefined }>> = entity.meta.properties;
    return tableOf(entity)
      .select("")
      .columns.map(({ property, kind }) => ({
        name: columnName(property),
        type: TYPES[store.engine.kind][kind],
        nullable: properties[property]?.nullable === true,
      }));
  }

  test.each(STORE_SCHEMA.namespace.map(nameOf))("%s", async (table, entity) => {
    const columns = await store.run(NAMESPACE, COLUMNS, [`ns_${NAMESPACE}`, table]);
    expect(columns.length).toBeGreaterThan(1);
    expect(columns).toEqual(declared(entity));
  });

  test.each(STORE_SCHEMA.control.map(nameOf))("control plane: %s", async (table, entity) => {
    const columns = await store.runControl(COLUMNS, ["satchel", table]);
    expect(columns.length).toBeGreaterThan(1);
    expect(columns).toEqual(declared(entity));
  });
});
