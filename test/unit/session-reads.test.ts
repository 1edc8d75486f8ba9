import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SESSION_COLUMNS } from "../../src/areas/sessions/store/columns.ts";
import { SessionReads } from "../../src/areas/sessions/store/reads.postgres.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { Row, Statement } from "../../src/kernel/store/engines/postgres/text-rows.ts";
import { upTo } from "../support/streams.ts";

const ONE = "one" as NamespaceId;
const VERSION_AT = Object.keys(SESSION_COLUMNS).indexOf("version");

/** A database that knows every session whose id does not begin with "no", each at the version it has when it is asked. */
class FakeDatabase {
  readonly statements: string[][] = [];
  version = 0;
  failing = false;

  async query(_statement: Statement, [ids]: readonly unknown[]): Promise<Row[]> {
    const asked = String(ids).split(",");
    this.statements.push(asked);
    const seen = this.version;
    await setTimeout(Math.random() * 3);
    if (this.failing) throw new Error("away");
    return asked.filter((id) => !id.startsWith("no")).map((id) => rowOf(id, seen));
  }
}

function rowOf(id: string, version: number): Row {
  const row = Object.values(SESSION_COLUMNS).map((kind): string =>
    kind === "text" ? "" : kind === "bytes" ? "00" : "0",
  );
  row[0] = id;
  row[VERSION_AT] = String(version);
  return row;
}

describe("SessionReads", () => {
  it("reads with one statement what is asked for in one turn, each session once", async () => {
    const database = new FakeDatabase();
    const reads = new SessionReads(database);
    const found = await Promise.all(["a", "b", "none", "a"].map((id) => reads.find(ONE, id)));
    expect(found.map((session) => session?.id)).toEqual(["a", "b", undefined, "a"]);
    expect(database.statements).toEqual([["a", "b", "none"]]);
  });

  it("keeps namespaces apart, and statements short", async () => {
    const database = new FakeDatabase();
    const reads = new SessionReads(database);
    const ids = upTo(150).map((index) => `s${index}`);
    await Promise.all([...ids.map((id) => reads.find(ONE, id)), reads.find("two" as NamespaceId, "s0")]);
    expect(database.statements.map(({ length }) => length)).toEqual([100, 50, 1]);
  });

  it("never gives anyone what was read before they asked", async () => {
    const database = new FakeDatabase();
    const reads = new SessionReads(database);
    const askers = upTo(200).map(async () => {
      await setTimeout(Math.random() * 50);
      const current = ++database.version;
      expect((await reads.find(ONE, "a"))!.version).toBeGreaterThanOrEqual(current);
    });
    await Promise.all(askers);
  });

  it("tells all who have asked of a failure, and goes on", async () => {
    const database = new FakeDatabase();
    const reads = new SessionReads(database);
    database.failing = true;
    const failed = await Promise.allSettled([reads.find(ONE, "a"), reads.find(ONE, "b")]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    database.failing = false;
    expect((await reads.find(ONE, "a"))!.id).toBe("a");
  });
});
