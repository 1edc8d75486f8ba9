/**
 * Measures the time to encode a page of messages in two ways: with the generated code, and with encodeMessages, which
 * encodes the rows of the store directly. Prints a table and writes it into docs/performance.md.
 *
 *   npm run bench:encode
 */
import { toBinary } from "@bufbuild/protobuf";
import type { StoredMessage } from "../src/areas/streams/domain/message.ts";
import { encodeMessages } from "../src/areas/streams/message-encoding.ts";
import { streamMessage } from "../src/areas/streams/responses.ts";
import { StreamMessageBatchSchema } from "../src/gen/satchel/v1/streams_pb.ts";
import { newUuid } from "../src/kernel/uuid.ts";
import { recordSection } from "./support/record.ts";
import { measureInRounds, type Subject, tableOf } from "./support/rounds.ts";
import { DATA, METADATA } from "./support/workload.ts";

const ROUNDS = 7;
const MS_PER_ROUND = 300;
const SIZES = [1, 100, 1_000];

const subjects = SIZES.flatMap((size) => {
  const messages = Array.from({ length: size }, (_, index) => stored(index));
  return [
    subject(`${size} messages, generated code`, size, () =>
      toBinary(StreamMessageBatchSchema, {
        $typeName: "satchel.v1.StreamMessageBatch",
        messages: messages.map(streamMessage),
        cursor: "",
      }),
    ),
    subject(`${size} messages, encodeMessages`, size, () => encodeMessages(messages)),
  ];
});

const table = tableOf(await measureInRounds(subjects, ROUNDS, (line) => process.stderr.write(`${line}\n`)));
process.stdout.write(`\n${table}\n`);
await recordSection("encoding", `Medians of ${ROUNDS} rounds.\n\n${table}`);

function subject(name: string, size: number, encode: () => Uint8Array): Subject {
  return {
    name,
    unit: "µs a message",
    measure: () => {
      const start = performance.now();
      let messages = 0;
      for (; performance.now() - start < MS_PER_ROUND; messages += size) encode();
      return ((performance.now() - start) * 1_000) / messages;
    },
  };
}

function stored(index: number): StoredMessage {
  return {
    id: newUuid(),
    streamName: `bench-${index % 100}`,
    type: "SomethingHappened",
    position: BigInt(index),
    globalPosition: 1_000_000n + BigInt(index),
    data: DATA,
    metadata: METADATA,
    timeMicros: 1_760_000_000_123_456n + BigInt(index),
  };
}
