import { type DescField, type DescMessage, getOption, hasOption } from "@bufbuild/protobuf";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/config/limits.ts";
import { limit, reason } from "../../src/gen/satchel/options/v1/refusal_pb.ts";
import { REASONS } from "../../src/kernel/errors.ts";
import { type LimitName, wireName } from "../../src/kernel/limits.ts";
import { services } from "../support/proto-source.ts";

const FIELDS = fieldsOf((await services()).flatMap(({ methods }) => methods.map(({ input }) => input)));

/** The limits that cannot be configured, with their values. */
const FIXED = new Map(
  Object.entries(LIMITS)
    .filter(([, spec]) => !("range" in spec))
    .map(([name, spec]) => [wireName(name as LimitName), spec.default]),
);

describe("the fields of requests", () => {
  const limited = FIELDS.filter((field) => hasOption(field, limit));

  test("that name a limit are many", () => {
    expect(limited.length).toBeGreaterThan(30);
    expect(new Set(limited.map((field) => getOption(field, limit))).size).toBeGreaterThan(10);
  });

  test.each(limited.map((field) => [field.toString(), field] as const))(
    "%s has the limit as maximum",
    (_name, field) => {
      const fixed = FIXED.get(getOption(field, limit));
      expect(fixed).toBeGreaterThan(0);
      expect(maximumOf(field)).toBe(fixed);
    },
  );

  test("name only reasons that there are", () => {
    const reasons = FIELDS.filter((field) => hasOption(field, reason)).map((field) => getOption(field, reason));
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons.filter((name) => !Object.hasOwn(REASONS, name))).toEqual([]);
  });
});

/** The greatest value, length or number of items that a field's constraint allows. */
function maximumOf(field: DescField): number {
  const { type } = getOption(field, fieldRules);
  switch (type.case) {
    case "int32":
      return type.value.lessThan.case === "lte" ? type.value.lessThan.value : Number.NaN;
    case "string":
      return Number(type.value.maxLen > 0n ? type.value.maxLen : type.value.maxBytes);
    case "repeated":
      return Number(type.value.maxItems);
    default:
      return Number.NaN;
  }
}

/** Every field of these messages, and of those inside them. */
function fieldsOf(messages: readonly DescMessage[]): readonly DescField[] {
  const seen = new Set<DescMessage>();
  const pending = [...messages];
  for (let message = pending.pop(); message !== undefined; message = pending.pop()) {
    if (seen.has(message)) continue;
    seen.add(message);
    pending.push(...message.fields.flatMap(({ message: inner }) => (inner === undefined ? [] : [inner])));
  }
  return [...seen].flatMap(({ fields }) => fields);
}
