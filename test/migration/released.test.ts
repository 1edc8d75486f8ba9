import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { CONTROL_MIGRATIONS, NAMESPACE_MIGRATIONS } from "../../src/kernel/store/engines/postgres/migrations/index.ts";
import { MIGRATIONS } from "../../src/kernel/store/engines/sqlite/migrations/index.ts";

function fingerprint(sql: string): string {
  return createHash("sha256").update(sql).digest("hex").slice(0, 16);
}

// A database that has taken a step will not take it again: a change goes into a new step, whose line is added here.
test("no step of a schema is changed once it was released", () => {
  expect({
    postgresqlControl: CONTROL_MIGRATIONS.map(({ sql }) => fingerprint(sql)),
    postgresqlNamespace: NAMESPACE_MIGRATIONS.map(({ sql }) => fingerprint(sql)),
    sqliteControl: MIGRATIONS.control.map(fingerprint),
    sqliteNamespace: MIGRATIONS.namespace.map(fingerprint),
  }).toMatchInlineSnapshot(`
    {
      "postgresqlControl": [
        "c2c244852b1a1831",
        "78bc9b992aca835a",
      ],
      "postgresqlNamespace": [
        "922e9ea7225cd5e5",
        "1ef9c3936b7c07c2",
        "6e0e1274707c698a",
        "ed5df3c08b29b205",
        "2c79fd0519bd973b",
        "710871bddfbdd9da",
        "361284a63085d75b",
      ],
      "sqliteControl": [
        "0669679ca3f83748",
        "dd10b599c0b7d0ce",
      ],
      "sqliteNamespace": [
        "dba6bb57ac1a8f2f",
        "d7c992df88e04598",
        "0c81c446bd7ff791",
        "eca1dbe4eecb1dc1",
      ],
    }
  `);
});
