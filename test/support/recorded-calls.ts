import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";

/** What has become of the calls that were made, by `Service/Method`. */
export interface RecordedCalls {
  readonly answered: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
}

/** The name of an RPC, as RecordedCalls has it. */
export function rpcName({ parent, name }: DescMethod): string {
  return `${parent.name}/${name}`;
}

/** A transport that records the calls made through it. A stream is answered when its first message has come, or its end. */
export function recording(transport: Transport): { readonly transport: Transport; readonly calls: RecordedCalls } {
  const calls = { answered: new Set<string>(), refused: new Set<string>() };
  const watch = async <T>(method: DescMethod, call: Promise<T>): Promise<T> => {
    try {
      const result = await call;
      if (method.methodKind === "unary") calls.answered.add(rpcName(method));
      return result;
    } catch (error) {
      calls.refused.add(rpcName(method));
      throw error;
    }
  };
  async function* watchStream<T>(method: DescMethod, messages: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      for await (const message of messages) {
        calls.answered.add(rpcName(method));
        yield message;
      }
      calls.answered.add(rpcName(method));
    } catch (error) {
      calls.refused.add(rpcName(method));
      throw error;
    }
  }
  return {
    calls,
    transport: {
      unary: (method, ...call) => watch(method, transport.unary(method, ...call)),
      stream: async (method, ...call) => {
        const response = await watch(method, transport.stream(method, ...call));
        return { ...response, message: watchStream(method, response.message) };
      },
    },
  };
}
