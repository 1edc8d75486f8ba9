import type { Area, Kernel, StartedArea } from "./area.ts";
import { type Authenticate, authenticateBy } from "./rpc/authenticate.ts";
import { combinedRoutes, type Routes } from "./rpc/router.ts";

/** Areas at work. Disposing of them ends the last one first. */
export interface RunningAreas extends AsyncDisposable {
  readonly routes: Routes;
  readonly authenticate: ReturnType<typeof authenticateBy>;
  /** What an area offers. Throws when it has not been started. */
  readonly use: Kernel["use"];
  /** Begins the work in the background of all areas. */
  readonly work: () => AsyncDisposable;
}

/** Starts areas in their order. When one of them fails, those before it are ended. */
export async function startAreas<Settings>(
  areas: readonly Area<unknown, Settings>[],
  kernel: Omit<Kernel, "use">,
  settings: Settings,
): Promise<RunningAreas> {
  const started = new Map<unknown, StartedArea<unknown>>();
  const use: Kernel["use"] = <Api>(area: Area<Api, never>): Api => {
    const found = started.get(area);
    if (found === undefined) throw new Error(`the area ${area.name} has not been started`);
    return found.api as Api;
  };
  await using opened = new AsyncDisposableStack();
  for (const area of areas) {
    const running = await area.start({ ...kernel, use }, settings);
    started.set(area, running);
    opened.defer(async () => running[Symbol.asyncDispose]?.());
  }
  const all = [...started.values()];
  const closing = opened.move();
  return {
    use,
    routes: combinedRoutes(all.flatMap(({ routes }) => routes ?? [])),
    authenticate: authenticateBy(
      all.flatMap(({ authenticate }): readonly Authenticate[] => (authenticate ? [authenticate] : [])),
    ),
    work: () => workOf(all),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function workOf(areas: readonly StartedArea<unknown>[]): AsyncDisposable {
  const working = new AsyncDisposableStack();
  for (const { work } of areas) if (work !== undefined) working.use(work());
  return working;
}
