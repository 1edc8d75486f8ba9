import { setTimeout } from "node:timers/promises";
import { contract } from "../support/contract.ts";
import type { Harness } from "../support/harness.ts";
import { ALL, append, readAll, upTo } from "../support/streams.ts";

// The contract again, while a neighbour namespace is written to and read all the time, under the same names.
contract({ engine: "sqlite-memory" }, hammer);
contract({ engine: "postgresql" }, hammer);

const WRITERS = 3;
/** What a writer leaves of the time to the tests. */
const PAUSE_MS = 2;

function hammer(harness: Harness): AsyncDisposable {
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
