/**
 * A client process that calls AppendMessages as fast as the server responds; bench/rpc.ts starts it.
 *
 *   node bench/support/rpc-load.ts <url> <callers>
 *
 * For every message `{ durationMs }` it makes calls for that time, then sends `{ calls, rate }`: the number of calls, and
 * calls per second. At the start it sends `{ bytes }`, the size of the request.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { AppendMessagesRequestSchema } from "../../src/gen/satchel/v1/streams_pb.ts";
import { GrpcLoad, callsPerSecond } from "./grpc-load.ts";

const METHOD = "satchel.v1.StreamService/AppendMessages";
const REQUEST = toBinary(
  AppendMessagesRequestSchema,
  create(AppendMessagesRequestSchema, {
    streamName: "account-0190b2f4",
    messages: [
      {
        id: "0190b2f4-7b7e-7c3a-9d6e-1f2a3b4c5d6e",
        type: "Deposited",
        data: JSON.stringify({ text: "x".repeat(150) }),
        metadata: JSON.stringify({ correlationStreamName: "transfer-0190b2f4" }),
      },
    ],
  }),
);

const [url = "", callers = "64"] = process.argv.slice(2);
const load = await GrpcLoad.connect(url, "none");
process.on("message", ({ durationMs }: { readonly durationMs: number }) => void run(durationMs));
process.on("disconnect", () => process.exit());
process.send?.({ bytes: REQUEST.length });

async function run(durationMs: number): Promise<void> {
  let calls = 0;
  const rate = await callsPerSecond(Number(callers), durationMs, () => {
    calls += 1;
    return load.call(METHOD, REQUEST);
  });
  process.send?.({ calls, rate });
}
