import * as vitest from "vitest";

/** Something to register with vitest, unless a part of the cases was asked for that it does not belong to. */
interface Registration {
  readonly kind: "case" | "suite" | "hook";
  /** Whether the case, or one of the suite, is held over the wire, too. */
  readonly overWire: boolean;
  readonly register: (part: Part) => void;
}

/** All cases, or those that are held over the wire in every protocol. */
export type Part = "all" | "over the wire";

/** A case of the contract. `it.overWire` is one that every protocol is held to; the others depend on no protocol. */
interface It {
  (name: string, body: () => unknown, timeoutMs?: number): void;
  readonly each: typeof vitest.it.each;
}

let collecting: Registration[] | undefined;

/** Registers those cases which `declare` declares by `describe` and `it` and which belong to the part. */
export function registerCases(part: Part, declare: () => void): void {
  registerAll(collect(declare), part);
}

/** A group of cases; left out when none of them belongs to the part. */
export function describe(name: string, body: () => void): void {
  const inside = collect(body);
  add({
    kind: "suite",
    overWire: inside.some(({ overWire }) => overWire),
    register: (part) => vitest.describe(name, () => registerAll(inside, part)),
  });
}

export const it = Object.assign(caseOf(false), { overWire: caseOf(true) });

export function beforeEach(run: () => unknown): void {
  add({ kind: "hook", overWire: false, register: () => vitest.beforeEach(run) });
}

export function afterEach(run: () => unknown): void {
  add({ kind: "hook", overWire: false, register: () => vitest.afterEach(run) });
}

function caseOf(overWire: boolean): It {
  const one = (...definition: Parameters<It>): void =>
    add({ kind: "case", overWire, register: () => vitest.it(...definition) });
  const each =
    (...items: readonly unknown[]) =>
    (...definition: readonly unknown[]) => {
      // As vitest's own takes them; TypeScript cannot pass an overloaded function's arguments on.
      const register = (): unknown =>
        Reflect.apply(Reflect.apply(vitest.it.each, vitest.it, items) as () => void, undefined, definition);
      add({ kind: "case", overWire, register: () => void register() });
    };
  return Object.assign(one, { each: each as typeof vitest.it.each });
}

function collect(declare: () => void): readonly Registration[] {
  const outer = collecting;
  const inside: Registration[] = [];
  collecting = inside;
  try {
    declare();
  } finally {
    collecting = outer;
  }
  return inside;
}

function add(registration: Registration): void {
  if (collecting === undefined) throw new Error("cases are declared inside registerCases");
  collecting.push(registration);
}

function registerAll(registrations: readonly Registration[], part: Part): void {
  for (const { kind, overWire, register } of registrations)
    if (part === "all" || overWire || kind === "hook") register(part);
}
