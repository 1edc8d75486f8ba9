/** Prints what validating a request costs, in microseconds of one core. The target is below 10 for each. */
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import {
  AppendMessagesRequestSchema,
  GetCategoryMessagesRequestSchema,
  ReadMessagesRequestSchema,
  StreamService,
} from "../src/gen/satchel/v1/streams_pb.ts";
import { createRequestValidator } from "../src/rpc/interceptors/validate.ts";

const ROUNDS = 7;
const CALLS_PER_ROUND = 20_000;

const validate = createRequestValidator([StreamService]);

report("AppendMessages, 1 message", AppendMessagesRequestSchema, appendOf(1));
report("AppendMessages, 100 messages", AppendMessagesRequestSchema, appendOf(100));
report("AppendMessages, 1,000 messages", AppendMessagesRequestSchema, appendOf(1_000));
report(
  "GetCategoryMessages",
  GetCategoryMessagesRequestSchema,
  create(GetCategoryMessagesRequestSchema, {
    category: "account",
    position: 1_000n,
    batchSize: 500,
    types: ["Deposited"],
  }),
);
report(
  "ReadMessages",
  ReadMessagesRequestSchema,
  create(ReadMessagesRequestSchema, {
    selector: { case: "category", value: "account" },
    start: { case: "position", value: 1n },
  }),
);

function appendOf(count: number): MessageShape<typeof AppendMessagesRequestSchema> {
  return create(AppendMessagesRequestSchema, {
    streamName: "account-1",
    expectation: { case: "expectedVersion", value: 41n },
    messages: Array.from({ length: count }, (_, index) => ({
      id: `0193a1c2-7b5e-7000-8000-${index.toString(16).padStart(12, "0")}`,
      type: "Deposited",
      data: '{"amount":"12.50","currency":"EUR"}',
      metadata: '{"correlationStreamName":"transfer-7"}',
    })),
  });
}

/** The median of several rounds. */
function report<Desc extends DescMessage>(label: string, schema: Desc, message: MessageShape<Desc>): void {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    for (let call = 0; call < CALLS_PER_ROUND; call++) validate(schema, message);
    return Number(process.hrtime.bigint() - start) / 1_000 / CALLS_PER_ROUND;
  });
  const median = rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
  console.log(`${label.padEnd(32)}${median.toFixed(2).padStart(8)} µs`);
}
