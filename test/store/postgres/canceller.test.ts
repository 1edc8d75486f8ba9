import { Client } from "pg";
import { expect, test, vi } from "vitest";
import { Canceller } from "../../../src/kernel/store/engines/postgres/canceller.ts";
import { createDatabase } from "../../support/databases.ts";

test("many cancellations at once are asked for one after the other, on one connection", async () => {
  await using database = await createDatabase();
  await using canceller = new Canceller({ connectionString: database.url });
  const { query } = Client.prototype;
  const used = new Set<Client>();
  let running = 0;
  let most = 0;
  const counted = function (this: Client, ...call: readonly unknown[]): unknown {
    used.add(this);
    most = Math.max(most, ++running);
    const answer = Reflect.apply(query, this, call) as unknown as Promise<unknown>;
    return answer.finally(() => running--);
  };
  using spy = vi.spyOn(Client.prototype, "query").mockImplementation(counted);
  const pids = [4_000_001, 4_000_002, 4_000_003];
  await Promise.all(pids.map((pid) => canceller.cancel(pid)));
  expect(spy.mock.calls.map(([, values]) => values)).toEqual(pids.map((pid) => [pid]));
  expect([most, used.size]).toEqual([1, 1]);
});
