import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readServiceKeys } from "../../src/kernel/crypto/service-key-file.ts";

const directory = mkdtempSync(join(tmpdir(), "satchel-keys-"));
afterAll(() => rmSync(directory, { recursive: true }));

function read(content: string) {
  const path = join(directory, "keys");
  writeFileSync(path, content);
  return readServiceKeys(path);
}

test("a key file has the newest key first", () => {
  const [one, two] = ["11".repeat(32), "22".repeat(32)];
  expect(readServiceKeys(undefined)).toEqual([]);
  const keys = read(`# newest first\n\n${one}\n  ${two}  \r\n`);
  expect(keys.map(({ secret }) => Buffer.from(secret).toString("hex"))).toEqual([one, two]);
});

test("what is wrong with it stops the start, without repeating it", () => {
  expect(() => read("# nothing\n")).toThrow("has no key");
  expect(() => readServiceKeys(join(directory, "none"))).toThrow("SATCHEL_ENCRYPTION_KEY_FILE");
  const secret = "33".repeat(31);
  expect(() => read(`${"11".repeat(32)}\n${secret}`)).toThrow(/line 2 of .* must be 32 bytes/);
  expect(() => read(secret)).not.toThrow(secret);
});
