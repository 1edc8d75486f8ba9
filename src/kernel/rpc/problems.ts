import { type ErrorFact, type FieldViolation, type Reason, SatchelError } from "../errors.ts";
import { type LimitName, type Limits, wireName } from "../limits.ts";

/** Error details are sent in headers, whose size clients limit: further problems are only counted. */
const MAX_REPORTED = 20;

interface Problem extends FieldViolation, ErrorFact {}

/**
 * The problems of a request. Parsing goes on after a problem, so that the caller gets all of them at once. The parsed
 * values may be used only after `throwIfAny`.
 */
export class Problems {
  readonly limits: Limits;
  readonly #invalid: Problem[] = [];
  readonly #tooMuch: Problem[] = [];
  #count = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Adds a field that breaks a constraint. */
  add(field: string, description: string, reason: Reason = "FIELD_INVALID"): void {
    this.#keep(this.#invalid, { field, description, reason, metadata: {} });
  }

  /** Adds a field that exceeds a limit. */
  addExcess(field: string, limit: LimitName, actual: number): void {
    const maximum = this.limits[limit];
    const name = wireName(limit);
    const metadata = { limit: name, maximum: String(maximum), actual: String(actual), field };
    this.#keep(this.#tooMuch, {
      field,
      description: `exceeds ${name}: ${actual} > ${maximum}`,
      reason: "LIMIT_EXCEEDED",
      metadata,
    });
  }

  /** Throws one error for all problems: INVALID_ARGUMENT, or RESOURCE_EXHAUSTED when all of them exceed limits. */
  throwIfAny(): void {
    const problems = [...this.#invalid, ...this.#tooMuch];
    const [first] = problems;
    if (first === undefined) return;
    const kind = this.#invalid.length > 0 ? this.#invalid : this.#tooMuch;
    const more = this.#count > 1 ? ` (and ${this.#count - 1} more problems)` : "";
    throw new SatchelError(first.reason, `${first.field}: ${first.description}${more}`, {
      facts: distinctFacts(kind),
      violations: problems.slice(0, MAX_REPORTED).map(({ field, description }) => ({ field, description })),
    });
  }

  #keep(list: Problem[], problem: Problem): void {
    this.#count++;
    if (list.length < MAX_REPORTED) list.push(problem);
  }
}

function distinctFacts(problems: readonly Problem[]): readonly ErrorFact[] {
  const facts = new Map(
    problems.map(({ reason, metadata }) => [`${reason} ${metadata["field"]}`, { reason, metadata }]),
  );
  return [...facts.values()];
}

/** Parses a request; throws one error for all of its problems. */
export function parsed<T>(limits: Limits, parse: (problems: Problems) => T): T {
  const problems = new Problems(limits);
  const value = parse(problems);
  problems.throwIfAny();
  return value;
}
