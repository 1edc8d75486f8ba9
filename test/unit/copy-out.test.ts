import { expect, test } from "vitest";
import { CopyOut } from "../../src/kernel/store/engines/postgres/copy-out.ts";

const HEADER = Buffer.concat([Buffer.from("PGCOPY\n\u00ff\r\n\0", "latin1"), Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);

/** A row of one column, as PostgreSQL sends it. */
function rowOf(text: string): Buffer {
  const head = Buffer.alloc(6);
  head.writeInt16BE(1, 0);
  head.writeInt32BE(text.length, 2);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** Hands rows over as pg does: in memory that is used again. */
function copied(texts: readonly string[]): CopyOut {
  const copy = new CopyOut("COPY");
  const memory = Buffer.alloc(200_000);
  for (const [index, text] of texts.entries()) {
    const bytes = Buffer.concat(index === 0 ? [HEADER, rowOf(text)] : [rowOf(text)]);
    bytes.copy(memory);
    copy.handleCopyData({ chunk: memory.subarray(0, bytes.length) });
  }
  copy.handleCopyData({ chunk: texts.length === 0 ? Buffer.concat([HEADER, TRAILER]) : TRAILER });
  copy.handleCommandComplete();
  copy.handleReadyForQuery();
  return copy;
}

async function textsOf(copy: CopyOut): Promise<string[]> {
  const rows = await copy.rows;
  return rows.map(({ buffer, start, length }) => {
    expect(buffer.readInt32BE(start)).toBe(length - 4);
    return buffer.toString("utf8", start + 4, start + length);
  });
}

test.each([
  ["none", []],
  ["one", ["a"]],
  ["some, one of them large", ["a", "b".repeat(150_000), "", "c"]],
  ["many", Array.from({ length: 3_000 }, (_, index) => `row ${index}`.repeat(index % 40))],
])("rows arrive as they were sent: %s", async (_, texts) => {
  expect(await textsOf(copied(texts))).toEqual(texts);
});

test("what is kept of few rows keeps little more than they take", async () => {
  for (const count of [1, 2, 3, 10, 100]) {
    const rows = await copied(Array.from({ length: count }, () => "x".repeat(96))).rows;
    const kept = [...new Set(rows.map(({ buffer }) => buffer))].reduce((bytes, { length }) => bytes + length, 0);
    expect(kept).toBeGreaterThanOrEqual(100 * count);
    expect(kept).toBeLessThanOrEqual(3 * 100 * count);
  }
});

test("what the database fails with is what the rows are asked for with", async () => {
  const copy = new CopyOut("COPY");
  copy.handleError(new Error("division by zero"));
  await expect(copy.rows).rejects.toThrow("division by zero");
});
