import { Client } from "pg";
import { expect, test } from "vitest";
import { startPostgres } from "../../support/postgres-server.ts";

test("PostgreSQL runs from a copy of its package, as it must for root below a directory that others cannot enter", async () => {
  await using server = await startPostgres({ copied: true });
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query("SELECT current_setting('server_version_num')::integer >= 150000 AS good");
  await client.end();
  expect(rows).toEqual([{ good: true }]);
});
