import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const MAX_LINES = 400;
// Spelt so that this file has none of them.
const MARKS = ["TO[D]O", "FIX[M]E", "X[X]X", "HA[C]K"];

const CODE = globSync("{src,test,bench,tools,examples}/**/*.ts").filter((path) => !path.startsWith("src/gen/"));
const TEXT = [...CODE, ...globSync(["*.md", "docs/**/*.md", "proto/satchel/**/*.proto", ".ci/*"])];

interface Package {
  readonly version: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test("no file has more than 400 lines", () => {
  expect(CODE.filter((path) => linesOf(path) > MAX_LINES)).toEqual([]);
});

test("nothing is marked as left undone", () => {
  const mark = new RegExp(`\\b(${MARKS.join("|")})\\b`);
  expect(TEXT.filter((path) => mark.test(readFileSync(path, "utf8")))).toEqual([]);
});

test("the tests run on the Node that the package asks for", () => {
  expect(Number(process.versions.node.split(".")[0])).toBeGreaterThanOrEqual(24);
});

describe("dependencies", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<
    "dependencies" | "devDependencies",
    Record<string, string>
  >;
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    readonly packages: Record<string, Package>;
  };
  const locked = Object.entries(packages).filter(([path]) => path !== "");

  test("are pinned exactly", () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  test("are locked for every platform, and for any registry", () => {
    const missing = locked.flatMap(([, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter((name) => packages[`node_modules/${name}`] === undefined),
    );
    expect(missing).toEqual([]);
    expect(locked.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  test("have permissive licences", () => {
    const permissive =
      /^\(?(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause)( (AND|OR) (MIT|ISC|Apache-2\.0|BSD-[23]-Clause))*\)?$/;
    const installed = globSync("node_modules/**/package.json", { exclude: (path) => path.endsWith("/.bin") })
      .filter((path) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path))
      .map((path) => [path.replace("/package.json", ""), JSON.parse(readFileSync(path, "utf8")) as Package] as const);
    const others = [...locked, ...installed].filter(
      ([path, { license = "none" }]) => !permissive.test(license) && !isBuildTool(path),
    );
    expect(installed.length).toBeGreaterThan(100);
    expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
  });
});

/** Vite's style sheet compiler, MPL-2.0: comes with vitest, is never shipped and compiles nothing of ours. */
function isBuildTool(path: string): boolean {
  return /^node_modules\/lightningcss(-[a-z0-9-]+)?$/.test(path);
}

function linesOf(path: string): number {
  return readFileSync(path, "utf8").split("\n").length - 1;
}
