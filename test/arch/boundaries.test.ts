import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const IMPORTS = "eslint(no-restricted-imports)";
const GLOBALS = "eslint(no-restricted-globals)";
const PROPERTIES = "eslint(no-restricted-properties)";

/** A file with one line, and the rule that must refuse it. */
const REFUSED: readonly (readonly [path: string, line: string, rule: string])[] = [
  ["src/domain/io.ts", 'import "node:fs";', IMPORTS],
  ["src/domain/package.ts", 'import "pino";', IMPORTS],
  ["src/domain/errors.ts", 'import "../errors.ts";', IMPORTS],
  ["src/domain/store.ts", 'import "../store/dialect.ts";', IMPORTS],
  ["src/domain/deep/up.ts", 'import "../limits.ts";', IMPORTS],
  ["src/store/rpc.ts", 'import "../rpc/streams.ts";', IMPORTS],
  ["src/store/service.ts", 'import "../service/streams.ts";', IMPORTS],
  ["src/store/gen.ts", 'import "../gen/satchel/v1/streams_pb.ts";', IMPORTS],
  ["src/store/connect.ts", 'import "@connectrpc/connect";', IMPORTS],
  ["src/store/config.ts", 'import "../config.ts";', IMPORTS],
  ["src/store/postgres/other.ts", 'import "../sqlite/append.sql.ts";', IMPORTS],
  ["src/store/postgres/driver.ts", 'import "@mikro-orm/sqlite";', IMPORTS],
  ["src/store/postgres/up.ts", 'import "../../service/streams.ts";', IMPORTS],
  ["src/store/sqlite/other.ts", 'import "../postgres/append.sql.ts";', IMPORTS],
  ["src/store/sqlite/driver.ts", 'import "@mikro-orm/postgresql";', IMPORTS],
  ["src/store/sqlite/deep/other.ts", 'import "../../postgres/append.sql.ts";', IMPORTS],
  ["src/feed/orm.ts", 'import "@mikro-orm/core";', IMPORTS],
  ["src/feed/service.ts", 'import "../service/streams.ts";', IMPORTS],
  ["src/blob/rpc.ts", 'import "../rpc/streams.ts";', IMPORTS],
  ["src/service/rpc.ts", 'import "../rpc/streams.ts";', IMPORTS],
  ["src/service/connect.ts", 'import "@connectrpc/connect";', IMPORTS],
  ["src/service/gen.ts", 'import "../gen/satchel/v1/streams_pb.ts";', IMPORTS],
  ["src/service/engine.ts", 'import "../store/sqlite/dialect.ts";', IMPORTS],
  ["src/rpc/store.ts", 'import "../store/store.ts";', IMPORTS],
  ["src/rpc/interceptors/store.ts", 'import "../../store/store.ts";', IMPORTS],
  ["src/rpc/orm.ts", 'import "@mikro-orm/core";', IMPORTS],
  ["src/rpc/app.ts", 'import "../app.ts";', IMPORTS],
  ["clients/typescript/src/service.ts", 'import "../../../src/service/streams.ts";', IMPORTS],
  ["clients/typescript/src/streams/gen.ts", 'import "../../../../src/gen/satchel/v1/streams_pb.ts";', IMPORTS],
  ["clients/typescript/src/node.ts", 'import "node:fs";', IMPORTS],
  ["clients/typescript/src/streams/node.ts", 'import "@connectrpc/connect-node";', IMPORTS],
  ["clients/typescript/src/core/grpc-transport.ts", 'import "../../../../src/config.ts";', IMPORTS],
  ["clients/typescript/src/environment.ts", "export const home = process.env;", GLOBALS],
  ["clients/typescript/src/stack.ts", "export const stack = new AsyncDisposableStack();", GLOBALS],
  ["src/errors.ts", 'import "@connectrpc/connect";', IMPORTS],
  ["src/app.ts", 'import "@mikro-orm/core";', IMPORTS],
  ["src/rpc/process.ts", 'import "node:process";', IMPORTS],
  ["src/service/environment.ts", "export const home = process.env;", GLOBALS],
  ["src/app-environment.ts", "export const home = process.env;", GLOBALS],
  ["src/store/global.ts", "export const home = globalThis.process;", PROPERTIES],
  ["src/rpc/print.ts", 'console.log("hello");', "eslint(no-console)"],
  ["src/service/any.ts", "export const value: any = 1;", "typescript(no-explicit-any)"],
  ["src/service/floating.ts", "Promise.resolve(1);", "typescript(no-floating-promises)"],
  ["src/service/a.ts", 'import { b } from "./b.ts"; export const a = b;', "import(no-cycle)"],
  ["src/service/b.ts", 'import { a } from "./a.ts"; export const b = a;', "import(no-cycle)"],
];

/** Ways that are open. */
const ALLOWED: readonly (readonly [path: string, line: string])[] = [
  ["src/domain/own.ts", 'import "./limits.ts"; import "node:crypto";'],
  ["src/store/orm.ts", 'import "@mikro-orm/core"; import "../domain/limits.ts"; import "./dialect.ts";'],
  ["src/store/postgres/own.ts", 'import "@mikro-orm/postgresql"; import "../dialect.ts"; import "./append.sql.ts";'],
  ["src/store/sqlite/own.ts", 'import "@mikro-orm/sqlite"; import "../dialect.ts";'],
  ["src/service/own.ts", 'import "../store/store.ts"; import "../feed/feed.ts"; import "@mikro-orm/core";'],
  [
    "src/rpc/own.ts",
    'import "../service/streams.ts"; import "../gen/satchel/v1/streams_pb.ts"; import "@connectrpc/connect";',
  ],
  ["clients/typescript/src/core/details.ts", 'import "../gen/google/rpc/error_details_pb.ts";'],
  [
    "clients/typescript/src/own.ts",
    'import "./gen/satchel/v1/streams_pb.ts"; import "@connectrpc/connect-web"; import "@bufbuild/protobuf/wkt";',
  ],
  ["src/composed/app.ts", 'import "../store/sqlite/dialect.ts"; import "../rpc/streams.ts";'],
  ["src/main.ts", "console.log(process.argv);"],
  ["src/config.ts", "export const environment = process.env;"],
];

interface Diagnostic {
  readonly filename: string;
  readonly code: string;
}

describe("lint keeps the layers apart", () => {
  const directory = mkdtempSync(join(tmpdir(), "satchel-lint-"));
  const found = new Map<string, string[]>();

  beforeAll(() => {
    copyFileSync(".oxlintrc.json", join(directory, ".oxlintrc.json"));
    copyFileSync("tsconfig.json", join(directory, "tsconfig.json"));
    symlinkSync(resolve("node_modules"), join(directory, "node_modules"));
    for (const [path, line] of [...REFUSED, ...ALLOWED]) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), `${line}\n`);
    }
    for (const { filename, code } of lint(directory)) found.set(filename, [...(found.get(filename) ?? []), code]);
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  test.each(REFUSED)("%s may not: %s", (path, _line, rule) => {
    expect(found.get(path)).toContain(rule);
  });

  test.each(ALLOWED)("%s may: %s", (path) => {
    expect((found.get(path) ?? []).filter((code) => code.includes("restricted") || code.includes("console"))).toEqual(
      [],
    );
  });
});

function lint(directory: string): readonly Diagnostic[] {
  const { diagnostics } = JSON.parse(output(directory)) as { readonly diagnostics: readonly Diagnostic[] };
  return diagnostics;
}

/** Findings make oxlint fail; what it prints is wanted all the same. */
function output(directory: string): string {
  try {
    return execFileSync(resolve("node_modules/.bin/oxlint"), ["--type-aware", "--format", "json", "src", "clients"], {
      cwd: directory,
      encoding: "utf8",
    });
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}
