import { type Push, pushOf, pushStream, type Receive, ReceiverGone } from "../push-stream.ts";

/** What is done with the messages of a stream. Exactly one of `completed`, `failed` and `abandoned` is called at its end. */
export interface StreamMapping<In, Out> {
  /** Maps a message. Returns a promise only if that takes time. The reader gets what it throws. */
  readonly map: (message: In) => Out | Promise<Out>;
  /** The stream has ended well. */
  readonly completed?: () => void;
  /**
   * The stream has failed; `gone`: because the reader did not take a message. Returns the error that the reader gets.
   */
  readonly failed?: (error: unknown, gone: boolean) => unknown;
  /** The reader has stopped reading. */
  readonly abandoned?: () => void;
}

/**
 * Maps the messages of a stream. A stream that is pushed stays one, at the cost of one function call a message; any other
 * is pulled. docs/adr/0009-pushed-messages.md says why.
 */
export function mapStream<In, Out>(messages: AsyncIterable<In>, mapping: StreamMapping<In, Out>): AsyncIterable<Out> {
  const push = pushOf(messages);
  return push === undefined
    ? pullMapped(messages, mapping)
    : pushStream((receive) => pushMapped(push, mapping, receive));
}

async function pushMapped<In, Out>(
  push: Push<In>,
  mapping: StreamMapping<In, Out>,
  receive: Receive<Out>,
): Promise<void> {
  try {
    await push((message) => {
      const mapped = mapping.map(message);
      return mapped instanceof Promise ? mapped.then(receive) : receive(mapped);
    });
  } catch (error) {
    throw failureOf(mapping, error, error instanceof ReceiverGone);
  }
  mapping.completed?.();
}

async function* pullMapped<In, Out>(messages: AsyncIterable<In>, mapping: StreamMapping<In, Out>): AsyncGenerator<Out> {
  const source = messages[Symbol.asyncIterator]();
  /** Which of them is at work, and so is the one that has thrown an error or has stopped. */
  let active: "source" | "mapping" | "reader" | "none" = "source";
  try {
    for (let result = await source.next(); result.done !== true; result = await source.next()) {
      active = "mapping";
      const mapped = mapping.map(result.value);
      const next = mapped instanceof Promise ? await mapped : mapped;
      active = "reader";
      yield next;
      active = "source";
    }
  } catch (error) {
    const gone = active === "reader";
    const thrown = gone ? await throwInto(source, error) : error;
    if (active === "mapping") await source.return?.();
    active = "none";
    throw failureOf(mapping, thrown, gone);
  } finally {
    if (active === "reader") {
      await source.return?.();
      mapping.abandoned?.();
    }
  }
  mapping.completed?.();
}

/** Passes the reader's error on to the source, and returns the error that the source ends with. */
async function throwInto<T>(source: AsyncIterator<T>, error: unknown): Promise<unknown> {
  try {
    if (source.throw === undefined) await source.return?.();
    else await source.throw(error);
  } catch (thrown) {
    return thrown;
  }
  return error;
}

function failureOf<In, Out>({ failed }: StreamMapping<In, Out>, error: unknown, gone: boolean): unknown {
  return failed === undefined ? error : failed(error, gone);
}
