/**
 * Measures the time to check a request, in microseconds on one core, in two parts: the constraints declared in the .proto,
 * and the parsing of names, ids and JSON. The target is less than 10 µs a call. Prints a table and writes it into
 * docs/performance.md.
 *
 *   npm run bench:validate
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { parseAppend, parseCategoryPage, parseRead } from "../src/areas/streams/requests.ts";
import { DEFAULT_LIMITS } from "../src/config/limits.ts";
import {
  AppendMessagesRequestSchema,
  GetCategoryMessagesRequestSchema,
  ReadMessagesRequestSchema,
  StreamService,
} from "../src/gen/satchel/v1/streams_pb.ts";
import { createRequestValidator } from "../src/kernel/rpc/interceptors/validate.ts";
import { recordSection } from "./support/record.ts";

const ROUNDS = 7;
const MESSAGES_PER_ROUND = 20_000;

const validate = createRequestValidator([StreamService], DEFAULT_LIMITS);

const category = create(GetCategoryMessagesRequestSchema, {
  category: "account",
  position: 1_000n,
  types: ["Deposited"],
});
const read = create(ReadMessagesRequestSchema, { selector: { case: "category", value: "account" } });
const rows = [
  ...[1, 100, 1_000].map((count) => {
    const request = create(AppendMessagesRequestSchema, appendOf(count));
    return row(`AppendMessages, ${count.toLocaleString("en")} messages`, MESSAGES_PER_ROUND / count, [
      () => validate(AppendMessagesRequestSchema, request),
      () => parseAppend(request, DEFAULT_LIMITS),
    ]);
  }),
  row("GetCategoryMessages", MESSAGES_PER_ROUND, [
    () => validate(GetCategoryMessagesRequestSchema, category),
    () => parseCategoryPage(category, DEFAULT_LIMITS),
  ]),
  row("ReadMessages", MESSAGES_PER_ROUND, [
    () => validate(ReadMessagesRequestSchema, read),
    () => parseRead(read, DEFAULT_LIMITS),
  ]),
];
const table = ["| request | declared, µs | parsed, µs |", "|---|--:|--:|", ...rows].join("\n");
process.stdout.write(`${table}\n`);
await recordSection("validation", `Medians of ${ROUNDS} rounds.\n\n${table}`);

function appendOf(count: number): MessageInitShape<typeof AppendMessagesRequestSchema> {
  return {
    streamName: "account-1",
    expectation: { case: "expectedVersion", value: 41n },
    messages: Array.from({ length: count }, (_, index) => ({
      id: `0193a1c2-7b5e-7000-8000-${index.toString(16).padStart(12, "0")}`,
      type: "Deposited",
      data: '{"amount":"12.50","currency":"EUR"}',
      metadata: '{"correlationStreamName":"transfer-7"}',
    })),
  };
}

function row(name: string, calls: number, checks: readonly (() => unknown)[]): string {
  return `| ${[name, ...checks.map((check) => medianMicros(calls, check).toFixed(2))].join(" | ")} |`;
}

function medianMicros(calls: number, check: () => unknown): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    for (let call = 0; call < calls; call++) check();
    return ((performance.now() - start) * 1_000) / calls;
  });
  return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}
