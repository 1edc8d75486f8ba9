import { setTimeout } from "node:timers/promises";
import type { Harness } from "./harness.ts";
import { ALL, append, readAll, upTo } from "./streams.ts";

const WRITERS = 3;
/** What a writer leaves of the time to the tests. */
const PAUSE_MS = 2;

/** Writes to a namespace and reads it, under the names that everybody uses, until it is disposed of. */
export function busyNeighbour(harness: Harness): AsyncDisposable {
  const stop = new AbortController();
  const hammering = (async () => {
    const { streams } = await harness.namespace();
    const write = async (writer: number): Promise<void> => {
      for (let round = 0; !stop.signal.aborted; round++) {
        await append(streams, `${["a", "b", "c"][round % 3]}-${writer}`, upTo(5));
        if (round % 50 === 0) await readAll(streams, { selector: ALL, limit: 2_000n });
        await setTimeout(PAUSE_MS);
      }
    };
    await Promise.all(upTo(WRITERS).map(write));
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await hammering;
    },
  };
}
