import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const MAX_LINES = 400;
// Spelt so that this file has none of them.
const MARKS = ["TO[D]O", "FIX[M]E", "X[X]X", "HA[C]K"];

const CODE = globSync(["{src,test,bench,tools,examples}/**/*.{ts,mts}", "clients/typescript/src/**/*.ts", "bin/*"], {
  exclude: ["src/gen/**", "clients/typescript/src/gen/**", "**/node_modules/**"],
});
const TEXT = [...CODE, ...globSync(["*.md", "docs/**/*.md", "clients/**/*.md", "proto/satchel/**/*.proto", ".ci/*"])];

interface Package {
  readonly version: string;
  readonly license?: string;
  readonly resolved?: string;
  /** True for a workspace of ours. */
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
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
  const manifests = ["package.json", ...globSync(["clients/*/package.json", "test/packages/*/package.json"])];
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    readonly packages: Record<string, Package>;
  };
  const locked = Object.entries(packages).filter(([path, { link }]) => path.includes("node_modules/") && link !== true);

  // But for the client's: an application shares them with what else it uses of Connect and protobuf.
  test("are pinned exactly", () => {
    const ranges = manifests.flatMap((path) => {
      const { name, dependencies, devDependencies } = JSON.parse(readFileSync(path, "utf8")) as Manifest;
      const pinned = { ...(name === "@satchel/client" ? {} : dependencies), ...devDependencies };
      return Object.entries(pinned).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    });
    expect(manifests).toContain("clients/typescript/package.json");
    expect(ranges).toEqual([]);
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

test("the client carries the licence of the server", () => {
  expect(readFileSync("clients/typescript/LICENSE", "utf8")).toBe(readFileSync("LICENSE", "utf8"));
});

/** Vite's style sheet compiler, MPL-2.0: comes with vitest, is never shipped and compiles nothing of ours. */
function isBuildTool(path: string): boolean {
  return /^node_modules\/lightningcss(-[a-z0-9-]+)?$/.test(path);
}

function linesOf(path: string): number {
  return readFileSync(path, "utf8").split("\n").length - 1;
}
