import { expect, test } from "vitest";
import { streamStore } from "../../../src/areas/streams/store/stores.ts";
import { NAMESPACE, openPostgresNamespace } from "../../support/postgres-namespace.ts";

const OWN_PID = "SELECT pg_backend_pid() AS pid";

test("transactions of the control plane whose connection is cut give it back to the pool", async () => {
  await using namespace = await openPostgresNamespace();
  const { store } = await namespace.replica();
  const killer = await namespace.client();
  const one = () => store.read((em) => em.getConnection().execute<{ one: number }[]>("SELECT 1 AS one"));
  // More often than there are connections; before the commit, so that it is COMMIT or ROLLBACK that fails.
  for (let index = 0; index < 10; index++) {
    const cut = store.transact(async (em) => {
      const [row] = await em.getConnection().execute<{ pid: number }[]>(OWN_PID, [], "all", em.getTransactionContext());
      await killer.query("SELECT pg_terminate_backend($1, 5000)", [row?.pid]);
    });
    await expect(cut).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  }
  expect(await Promise.all(Array.from({ length: 6 }, one))).toEqual(Array.from({ length: 6 }, () => [{ one: 1 }]));
  expect(await streamStore(store.engine, NAMESPACE).head({ kind: "all" }, {})).toBeUndefined();
});
