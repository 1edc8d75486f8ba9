import { type ErrorFact, type FieldViolation, type Reason, SatchelError } from "../errors.ts";
import { type LimitName, type Limits, wireName } from "../limits.ts";

/** Error details travel in headers, whose size clients bound: more problems than this are only counted. */
const MAX_REPORTED = 20;

interface Problem extends FieldViolation, ErrorFact {}

/**
 * What is wrong with a request, collected while it is parsed, so that its caller learns everything at once. Parsing goes
 * on after a problem; what it has returned counts only once `throwIfAny` has let it pass.
 */
export class Problems {
  readonly limits: Limits;
  readonly #invalid: Problem[] = [];
  readonly #tooMuch: Problem[] = [];
  #count = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** A field breaks its constraint. */
  add(field: string, description: string, reason: Reason = "FIELD_INVALID"): void {
    this.#keep(this.#invalid, { field, description, reason, metadata: {} });
  }

  /** A field has more of something than the server takes. */
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

  /** Throws one error for all problems: INVALID_ARGUMENT when there is any of that code, else RESOURCE_EXHAUSTED. */
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
