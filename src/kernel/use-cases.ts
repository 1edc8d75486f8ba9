/** Use cases that have been bound to the first parameter of each. */
export type UseCases<Functions> = {
  readonly [Name in keyof Functions]: Functions[Name] extends (context: never, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never;
};

/** Binds each of the functions to its first parameter. */
export function useCases<
  Context,
  Functions extends Readonly<Record<string, (context: Context, ...rest: never) => unknown>>,
>(context: Context, functions: Functions): UseCases<Functions> {
  const bound = Object.entries(functions).map(([name, run]) => [
    name,
    (...rest: readonly unknown[]) =>
      (run as (context: Context, ...rest: readonly unknown[]) => unknown)(context, ...rest),
  ]);
  return Object.fromEntries(bound) as UseCases<Functions>;
}
