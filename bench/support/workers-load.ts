/**
 * A client process that calls a server as fast as it responds, over several connections; bench/workers.ts starts it.
 *
 *   node bench/support/workers-load.ts <url> <token> <connections> <callers> <number of this process>
 *
 * For every message `{ work, durationMs }` it makes calls for that time, then sends the calls per second. At the start it
 * sends "ready".
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { AppendMessagesRequestSchema, GetStreamVersionRequestSchema } from "../../src/gen/satchel/v1/streams_pb.ts";
import { callsPerSecond, GrpcLoad } from "./grpc-load.ts";

/** The kinds of load. */
export type Work = keyof typeof WORKS;

export interface LoadOrder {
  readonly work: Work;
  readonly durationMs: number;
}

const CATEGORIES = 1_000;
const SERVICE = "satchel.v1.StreamService";
const [url = "", token = "", connections = "1", callers = "1", number = "0"] = process.argv.slice(2);

const WORKS = {
  GetStreamVersion: {
    method: `${SERVICE}/GetStreamVersion`,
    requests: [
      toBinary(GetStreamVersionRequestSchema, create(GetStreamVersionRequestSchema, { streamName: "none-1" })),
    ],
  },
  "AppendMessages, one category": {
    method: `${SERVICE}/AppendMessages`,
    requests: Array.from({ length: CATEGORIES }, (_, index) => appendTo(`one-${number}x${index}`)),
  },
  "AppendMessages, 1,000 categories": {
    method: `${SERVICE}/AppendMessages`,
    requests: Array.from({ length: CATEGORIES }, (_, index) => appendTo(`many${index}-${number}`)),
  },
} as const;

const loads = await Promise.all(Array.from({ length: Number(connections) }, () => GrpcLoad.connect(url, token)));
process.on("message", (order: LoadOrder) => void run(order));
process.on("disconnect", () => process.exit());
process.send?.("ready");

async function run({ work, durationMs }: LoadOrder): Promise<void> {
  const { method, requests } = WORKS[work];
  let calls = 0;
  const rate = await callsPerSecond(Number(callers), durationMs, async (caller) => {
    const request = requests[calls++ % requests.length];
    const load = loads[caller % loads.length];
    if (request !== undefined) await load?.call(method, request);
  });
  process.send?.(rate);
}

/** A request without message ids: the server makes them, so the same bytes can be sent repeatedly. */
function appendTo(streamName: string): Uint8Array {
  const messages = [{ type: "SomethingHappened", data: '{"attribute":"some value","other":"another value"}' }];
  return toBinary(AppendMessagesRequestSchema, create(AppendMessagesRequestSchema, { streamName, messages }));
}
