import { type Push, pushed, pushOf, type Take, TakerGone } from "../pushed.ts";

/** What is done about the messages of a stream as they pass; exactly one of its ends happens. */
export interface Stage<In, Out> {
  /** What goes on in the place of a message; a promise only where that takes time. What it throws, the reader gets. */
  readonly pass: (message: In) => Out | Promise<Out>;
  /** There are no more. */
  readonly completed?: () => void;
  /** There are no more because of an error; because one could not be delivered, when `gone`. Returns what to throw. */
  readonly failed?: (error: unknown, gone: boolean) => unknown;
  /** The reader does not want more. */
  readonly abandoned?: () => void;
}

/**
 * The messages of a stream after a stage. They go on as they come: those that are pushed are pushed, which costs nothing
 * but a call, and those that have to be asked for are asked for. docs/adr/0009-pushed-messages.md says why.
 */
export function passing<In, Out>(messages: AsyncIterable<In>, stage: Stage<In, Out>): AsyncIterable<Out> {
  const push = pushOf(messages);
  return push === undefined ? pulledThrough(messages, stage) : pushed((take) => pushThrough(push, stage, take));
}

async function pushThrough<In, Out>(push: Push<In>, stage: Stage<In, Out>, take: Take<Out>): Promise<void> {
  try {
    await push((message) => {
      const passed = stage.pass(message);
      return passed instanceof Promise ? passed.then(take) : take(passed);
    });
  } catch (error) {
    throw thrownBy(stage, error, error instanceof TakerGone);
  }
  stage.completed?.();
}

async function* pulledThrough<In, Out>(messages: AsyncIterable<In>, stage: Stage<In, Out>): AsyncGenerator<Out> {
  const source = messages[Symbol.asyncIterator]();
  /** Who has the next thing to do. */
  let turn: "source" | "stage" | "reader" | "nobody" = "source";
  try {
    for (let result = await source.next(); result.done !== true; result = await source.next()) {
      turn = "stage";
      const passed = stage.pass(result.value);
      const next = passed instanceof Promise ? await passed : passed;
      turn = "reader";
      yield next;
      turn = "source";
    }
  } catch (error) {
    const gone = turn === "reader";
    const thrown = gone ? await throwInto(source, error) : error;
    if (turn === "stage") await source.return?.();
    turn = "nobody";
    throw thrownBy(stage, thrown, gone);
  } finally {
    if (turn === "reader") {
      await source.return?.();
      stage.abandoned?.();
    }
  }
  stage.completed?.();
}

/** Ends what has failed further on, and returns what it ends with. */
async function throwInto<T>(source: AsyncIterator<T>, error: unknown): Promise<unknown> {
  try {
    if (source.throw === undefined) await source.return?.();
    else await source.throw(error);
  } catch (thrown) {
    return thrown;
  }
  return error;
}

function thrownBy<In, Out>({ failed }: Stage<In, Out>, error: unknown, gone: boolean): unknown {
  return failed === undefined ? error : failed(error, gone);
}
