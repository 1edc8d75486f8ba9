/** A variable has an invalid value. The message follows the name of the variable: "must be …". */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
}

/** One environment variable. */
export interface Variable<T> {
  /** Its name. */
  readonly env: string;
  /** Throws InvalidValue. */
  readonly parse: (text: string) => T;
  readonly default: T;
  /** The default as `--help` shows it. */
  readonly shown: string;
  /** What it is for, in one line. */
  readonly help: string;
  /** True: errors do not repeat its value. */
  readonly secret: boolean;
}

/** A text. */
export function text(env: string, fallback: string, help: string): Variable<string> {
  return { env, parse: (value) => value, default: fallback, shown: fallback, help, secret: false };
}

/** A text that may be left out. */
export function optional(env: string, help: string): Variable<string | undefined> {
  return { env, parse: (value) => value, default: undefined, shown: "", help, secret: false };
}

/** A credential, or an address with one in it, that may be left out. */
export function secret(env: string, help: string, parse: (value: string) => string): Variable<string | undefined> {
  return { env, parse, default: undefined, shown: "", help, secret: true };
}

/** A whole number within a range. */
export function integer(
  env: string,
  fallback: number,
  range: readonly [number, number],
  help: string,
): Variable<number> {
  const [minimum, maximum] = range;
  const parse = (value: string): number => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= minimum && number <= maximum) return number;
    throw new InvalidValue(`must be a whole number from ${minimum} to ${maximum}`);
  };
  return {
    env,
    parse,
    default: fallback,
    shown: String(fallback),
    help: `${help} (${minimum} to ${maximum})`,
    secret: false,
  };
}

/** One of these words. */
export function oneOf<T extends string>(env: string, words: readonly T[], fallback: T, help: string): Variable<T> {
  const parse = (value: string): T => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    throw new InvalidValue(`must be one of ${words.join(", ")}`);
  };
  return { env, parse, default: fallback, shown: fallback, help: `${help}: ${words.join(", ")}`, secret: false };
}

/** A comma-separated list; `parse` gets each item without the white space around it. */
export function list(env: string, help: string, parse: (item: string) => string): Variable<readonly string[]> {
  const parseAll = (value: string): readonly string[] =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
      .map(parse);
  return { env, parse: parseAll, default: [], shown: "", help, secret: false };
}
