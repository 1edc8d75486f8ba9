/**
 * Calls AppendMessages as fast as a server answers, from a process of its own; bench/rpc.ts starts it.
 *
 *   node bench/support/rpc-load.ts <url> <callers>
 *
 * After every `{ durationMs }` it calls for that long, and says how many calls it has made and how many a second.
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
