import { expect, test } from "vitest";
import { openPostgresNamespace } from "../../support/postgres-namespace.ts";

test.each([
  ["max_parallel_workers_per_gather", "0"],
  ["plan_cache_mode", "force_generic_plan"],
  ["enable_bitmapscan", "off"],
  ["jit", "off"],
])("statements are planned with %s = %s, since none should read more than a range of an index", async (name, value) => {
  await using namespace = await openPostgresNamespace();
  const { store } = await namespace.replica();
  const rows = await store.read((em) => em.getConnection().execute<Record<string, string>[]>(`SHOW ${name}`));
  expect(rows).toEqual([{ [name]: value }]);
});
