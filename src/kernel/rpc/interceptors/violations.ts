import { type DescMessage, getOption, isMessage, type MessageShape } from "@bufbuild/protobuf";
import {
  isReflectList,
  isReflectMessage,
  type Path,
  pathToString,
  reflect,
  type ReflectMessage,
} from "@bufbuild/protobuf/reflect";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import type { Violation } from "@bufbuild/protovalidate";
import { limit as limitOption, reason as reasonOption } from "../../../gen/satchel/options/v1/refusal_pb.ts";
import { type Reason, REASONS } from "../../errors.ts";
import { type LimitName, type Limits, wireName } from "../../limits.ts";
import { Problems } from "../problems.ts";

const UPDATE_MASK = "update_mask";

/**
 * Throws one error for all violations, with the reason that the .proto gives the field: by itself FIELD_INVALID, and
 * LIMIT_EXCEEDED above the limit of the field. A violation in a field that the update mask does not name does not count.
 */
export function throwViolations<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  violations: readonly Violation[],
  limits: Limits,
): void {
  const problems = new Problems(limits);
  const request = reflect(schema, message);
  for (const [field, violation] of firstOfEachField(request, violations)) {
    const excess = excessOf(request, violation, limits);
    if (excess === undefined) problems.add(field, descriptionOf(violation), reasonOf(violation));
    else problems.addExcess(field, excess.limit, excess.actual);
  }
  problems.throwIfAny();
}

/** By field, without the fields that the update mask does not name; those that it names come after the mask. */
function firstOfEachField(request: ReflectMessage, violations: readonly Violation[]): ReadonlyMap<string, Violation> {
  const mask = updateMaskOf(request);
  const masked = mask === undefined ? violations : violations.filter(({ field }) => isMasked(field, mask));
  const ordered = mask === undefined ? masked : masked.toSorted((a, b) => depth(a) - depth(b));
  const byField = new Map<string, Violation>();
  for (const violation of ordered) {
    const field = pathToString(violation.field);
    if (!byField.has(field)) byField.set(field, violation);
  }
  return byField;
}

/** 0 for a field of the request itself, 1 for one further inside. */
function depth({ field }: Violation): number {
  return field.length > 1 ? 1 : 0;
}

/** The constraint in words; its message cannot show NUL. */
function descriptionOf({ message, ruleId }: Violation): string {
  return ruleId === "string.not_contains" ? message.replaceAll("\u0000", "NUL") : message || ruleId;
}

function reasonOf({ field: path }: Violation): Reason {
  const field = path.at(-1);
  const reason = field?.kind === "field" ? getOption(field, reasonOption) : "";
  return Object.hasOwn(REASONS, reason) ? (reason as Reason) : "FIELD_INVALID";
}

/** The paths of the request's update mask; undefined when its message has no such field. */
function updateMaskOf(request: ReflectMessage): readonly string[] | undefined {
  const field = request.desc.fields.find(({ name }) => name === UPDATE_MASK);
  if (field === undefined) return undefined;
  const mask: unknown = request.get(field);
  return isReflectMessage(mask, FieldMaskSchema) && isMessage(mask.message, FieldMaskSchema) ? mask.message.paths : [];
}

/** Whether a mask names the field of a path, or one above or below it. Fields of the request itself always count. */
function isMasked(path: Path, mask: readonly string[]): boolean {
  const names = path.flatMap((step) => (step.kind === "field" ? [step.name] : [])).slice(1);
  if (names.length === 0) return true;
  const inner = `${names.join(".")}.`;
  return mask.some((masked) => inner.startsWith(`${masked}.`) || `${masked}.`.startsWith(inner));
}

/** The limit that the violated field exceeds, and by what; undefined when it breaks another constraint. */
function excessOf(
  request: ReflectMessage,
  { field: path, ruleId }: Violation,
  limits: Limits,
): { readonly limit: LimitName; readonly actual: number } | undefined {
  const field = path.at(-1);
  if (field?.kind !== "field") return undefined;
  const name = getOption(field, limitOption);
  const limit = (Object.keys(limits) as LimitName[]).find((known) => wireName(known) === name);
  if (limit === undefined) return undefined;
  const actual = amountOf(valueAt(request, path), ruleId);
  return actual > limits[limit] ? { limit, actual } : undefined;
}

function valueAt(request: ReflectMessage, path: Path): unknown {
  let value: unknown = request;
  for (const step of path) {
    if (step.kind === "field" && isReflectMessage(value)) value = value.get(step);
    if (step.kind === "list_sub" && isReflectList(value)) value = value.get(step.index);
  }
  return value;
}

/** What a rule counts: items, bytes, characters, or the number itself. */
function amountOf(value: unknown, ruleId: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") return ruleId === "string.max_bytes" ? Buffer.byteLength(value) : [...value].length;
  return isReflectList(value) ? value.size : 0;
}
