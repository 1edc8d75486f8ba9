import { getOption, hasOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { access } from "../../src/gen/satchel/options/v1/access_pb.ts";
import { commentOf, protoComments, services } from "../support/proto-source.ts";

const METHODS = (await services()).flatMap(({ methods }) => methods);
const COMMENTS = protoComments();
const DOCS = sourceOf("docs/rpcs.md");

test("there are RPCs", () => {
  expect(METHODS.length).toBeGreaterThan(15);
});

describe.each(METHODS.map((method) => [`${method.parent.name}/${method.name}`, method] as const))(
  "%s",
  (_name, method) => {
    test("has an access rule that admits somebody", () => {
      expect(hasOption(method, access)).toBe(true);
      const { anyone, operator, service } = getOption(method, access);
      expect(anyone || operator || service > 0).toBe(true);
    });

    test("has a comment that says more than its name, and an end", () => {
      expect(commentOf(COMMENTS, method.parent, method)).toMatch(/^[A-Z].{20,}\.$/);
    });

    test("is declared free of side effects exactly when its name says so", () => {
      expect(method.idempotency === Idempotency.NO_SIDE_EFFECTS).toBe(/^(Get|List|Read|Count)/.test(method.name));
    });

    test("is in docs/rpcs.md", () => {
      expect(DOCS).toContain(`| \`${method.name}\` `);
    });
  },
);

// In C++ the comments of services and RPCs go through a template, in which a dollar sign begins a variable.
test("no comment of a .proto has a dollar sign, at which grpc_cpp_plugin breaks off", () => {
  const comments = globSync("proto/satchel/**/*.proto").flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/^ *\/\/.*$/gm)].map(([line]) => ({ path, line })),
  );
  expect(comments.length).toBeGreaterThan(500);
  expect(comments.filter(({ line }) => line.includes("$"))).toEqual([]);
});

test("docs/rpcs.md names no RPC that is not there", () => {
  const names = new Set(METHODS.map(({ name }) => name));
  const named = [...DOCS.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name!);
  expect(named.filter((name) => !names.has(name))).toEqual([]);
});

function sourceOf(pattern: string): string {
  return globSync(pattern)
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
}
