import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** Code that needs more than Node 20 has. Lint refuses DisposableStack and AsyncDisposableStack. */
const TOO_NEW = [
  "Promise.withResolvers<void>();",
  "Promise.try(() => 1);",
  "Map.groupBy([1], (item) => item);",
  "Object.groupBy([1], (item) => item);",
  "Array.fromAsync([1]);",
  "new Set([1]).values().map((item) => item);",
  "new Set([1]).union(new Set([2]));",
  'RegExp.escape("a");',
  "new Uint8Array(1).toBase64();",
  'JSON.rawJSON("1");',
  'import { DatabaseSync } from "node:sqlite"; void DatabaseSync;',
];

/** Code that Node 20 runs, or that the compiler translates for it. */
const SUPPORTED = [
  "[2, 1].toSorted().findLast((item) => item > 0);",
  '"a".toWellFormed();',
  "AbortSignal.any([AbortSignal.timeout(1)]);",
  "export function scope(): void { using _resource = { [Symbol.dispose]: (): void => {} }; void _resource; }",
];

describe("the compiler options of the client", () => {
  const directory = mkdtempSync(join(tmpdir(), "satchel-runtime-"));
  let refused: ReadonlySet<string>;

  beforeAll(() => {
    const client = resolve("clients/typescript");
    const compilerOptions = { typeRoots: [join(client, "node_modules/@types")], moduleDetection: "force" };
    const config = { extends: join(client, "tsconfig.json"), compilerOptions, include: ["*.mts"] };
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
    for (const [index, line] of [...TOO_NEW, ...SUPPORTED].entries())
      writeFileSync(join(directory, `line-${index}.mts`), `${line}\n`);
    const { stdout } = spawnSync(resolve("node_modules/.bin/tsc"), ["-p", "."], { cwd: directory, encoding: "utf8" });
    refused = new Set([...stdout.matchAll(/^line-(\d+)\.mts/gm)].map(([, index]) => index!));
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  test.each(TOO_NEW.entries().toArray())("refuse %i: %s", (index) => {
    expect(refused).toContain(String(index));
  });

  test.each(SUPPORTED.entries().toArray())("allow %i: %s", (index) => {
    expect(refused).not.toContain(String(TOO_NEW.length + index));
  });
});
