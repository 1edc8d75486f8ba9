import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { configHelp } from "../../src/config/help.ts";
import { LIMITS } from "../../src/config/limits.ts";
import { ErrorReasonSchema } from "../../src/gen/satchel/v1/errors_pb.ts";
import { REASONS } from "../../src/kernel/errors.ts";
import { type LimitName, wireName } from "../../src/kernel/limits.ts";
import { commentOf, protoComments } from "../support/proto-source.ts";

describe("the reasons of errors", () => {
  const comments = protoComments();
  const declared = ErrorReasonSchema.values.filter(({ number }) => number !== 0);
  const coded = declared.map(
    (value) =>
      `${value.name.replace("ERROR_REASON_", "")} ${commentOf(comments, ErrorReasonSchema, value).split(".")[0]}`,
  );

  test("have in src/errors.ts the codes that errors.proto names", () => {
    expect(sorted(Object.entries(REASONS).map(([reason, code]) => `${reason} ${code}`))).toEqual(sorted(coded));
  });

  test("are all in docs/errors.md, with their codes, and no other is", () => {
    const rows = tableOf("docs/errors.md").map(([reason, code]) => `${reason} ${code}`);
    expect(sorted(rows)).toEqual(sorted(coded));
  });
});

describe("the limits", () => {
  test("are all in docs/limits.md as they are, and no other is", () => {
    const rows = tableOf("docs/limits.md").map(([name, value, range]) => `${name} ${value} ${range}`);
    const limits = Object.entries(LIMITS).map(([name, spec]) => {
      const range = "range" in spec ? spec.range.map(number).join(" to ") : "fixed";
      return `${wireName(name as LimitName)} ${number(spec.default)} ${range}`;
    });
    expect(sorted(rows)).toEqual(sorted(limits));
  });
});

test("the environment variables are all in docs/configuration.md, and no other is", () => {
  const variables = configHelp()
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "");
  expect(variables.length).toBeGreaterThan(15);
  expect(sorted(tableOf("docs/configuration.md").map(([name = ""]) => name))).toEqual(sorted(variables));
});

function sorted(texts: readonly string[]): readonly string[] {
  return texts.toSorted((a, b) => (a < b ? -1 : 1));
}

/** The cells of a document's tables whose first cell is a name in code. */
function tableOf(path: string): readonly (readonly string[])[] {
  const rows = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.replaceAll("`", "").trim()),
  );
}

function number(value: number): string {
  return value.toLocaleString("en");
}
