import fc from "fast-check";
import { expect, test } from "vitest";
import { newUuid } from "../../clients/typescript/src/core/uuid.ts";
import { parseUuid } from "../../src/kernel/uuid.ts";

const MAX_MS = 2 ** 48 - 1;

test("is a UUID version 7 that begins with the time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_MS }), (nowMs) => {
      const id = newUuid(nowMs);
      expect(parseUuid(id)).toBe(id);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(nowMs);
    }),
  );
});

test("does not repeat", () => {
  expect(new Set(Array.from({ length: 10_000 }, () => newUuid())).size).toBe(10_000);
});
