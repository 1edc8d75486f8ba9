import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SessionFinder } from "../../src/areas/sessions/store/find-many.ts";
import type { SessionRow } from "../../src/areas/sessions/store/session.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { SqlValue, Statement } from "../../src/kernel/store/statement.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { upTo } from "../support/streams.ts";

const ONE = "one" as NamespaceId;

/** A database that knows every session whose id does not begin with "no", each at the version it has when it is asked. */
class FakeDatabase {
  readonly engine = { kind: "postgresql" };
  readonly statements: string[][] = [];
  version = 0;
  failing = false;

  async run(_id: NamespaceId, _statement: Statement<unknown>, [ids]: readonly SqlValue[]): Promise<SessionRow[]> {
    const asked = String(ids).split(",");
    this.statements.push(asked);
    const seen = this.version;
    await setTimeout(Math.random() * 3);
    if (this.failing) throw new Error("away");
    return asked.filter((id) => !id.startsWith("no")).map((id) => ({ id, version: seen }) as SessionRow);
  }
}

/** A finder asks nothing else of a store. */
function finderOn(database: FakeDatabase): SessionFinder {
  return new SessionFinder(database as unknown as Store);
}

describe("SessionFinder", () => {
  it("reads with one statement what is asked for in one turn, each session once", async () => {
    const database = new FakeDatabase();
    const reads = finderOn(database);
    const found = await Promise.all(["a", "b", "none", "a"].map((id) => reads.find(ONE, id)));
    expect(found.map((session) => session?.id)).toEqual(["a", "b", undefined, "a"]);
    expect(database.statements).toEqual([["a", "b", "none"]]);
  });

  it("keeps namespaces apart, and statements short", async () => {
    const database = new FakeDatabase();
    const reads = finderOn(database);
    const ids = upTo(150).map((index) => `s${index}`);
    await Promise.all([...ids.map((id) => reads.find(ONE, id)), reads.find("two" as NamespaceId, "s0")]);
    expect(database.statements.map(({ length }) => length)).toEqual([100, 50, 1]);
  });

  it("never gives anyone what was read before they asked", async () => {
    const database = new FakeDatabase();
    const reads = finderOn(database);
    const askers = upTo(200).map(async () => {
      await setTimeout(Math.random() * 50);
      const current = ++database.version;
      expect((await reads.find(ONE, "a"))!.version).toBeGreaterThanOrEqual(current);
    });
    await Promise.all(askers);
  });

  it("tells all who have asked of a failure, and goes on", async () => {
    const database = new FakeDatabase();
    const reads = finderOn(database);
    database.failing = true;
    const failed = await Promise.allSettled([reads.find(ONE, "a"), reads.find(ONE, "b")]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    database.failing = false;
    expect((await reads.find(ONE, "a"))!.id).toBe("a");
  });
});
