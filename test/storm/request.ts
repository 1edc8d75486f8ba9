import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ReadMessagesRequestSchema } from "../../src/gen/satchel/v1/streams_pb.ts";
import type { Selected, Start } from "./history.ts";

type Request = MessageInitShape<typeof ReadMessagesRequestSchema>;

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000n;

/** The request that reads what is selected. */
export function requestOf({ of, types }: Selected, start: Start, follow: boolean, limit: bigint): Request {
  const request = { types: [...types], start: startOf(start), follow, limit };
  switch (of.kind) {
    case "all":
      return { ...request, selector: { case: "all", value: true } };
    case "stream":
      return { ...request, selector: { case: "streamName", value: of.streamName } };
    case "category": {
      const { category, correlation = "", group } = of;
      const consumerGroup = group === undefined ? {} : { consumerGroup: group };
      return { ...request, ...consumerGroup, correlation, selector: { case: "category", value: category } };
    }
  }
}

function startOf(start: Start): NonNullable<Request["start"]> {
  switch (start.kind) {
    case "beginning":
      return { case: undefined };
    case "end":
      return { case: "end", value: true };
    case "position":
      return { case: "position", value: start.position };
    case "cursor":
      return { case: "cursor", value: start.cursor };
    case "time": {
      const seconds = start.timeMicros / MICROS_PER_SECOND;
      const nanos = Number((start.timeMicros % MICROS_PER_SECOND) * NANOS_PER_MICRO);
      return { case: "time", value: { seconds, nanos } };
    }
  }
}
