import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AppendMessagesRequest,
  AppendMessagesRequestSchema,
  AppendToStreamsRequestSchema,
  GetCategoryMessagesRequestSchema,
  ReadMessagesRequestSchema,
} from "../../src/gen/satchel/v1/streams_pb.ts";

/** The message that the benchmarks append: 63 bytes of data and 62 of metadata. */
export const TYPE = "SomethingHappened";
export const DATA = '{"attribute":"some value","other":"another value, of 58 bytes"}';
export const METADATA = '{"metaAttribute":"some meta value","correlation":"of 61 bytes"}';

/** The number of categories in the loads with many categories. */
export const CATEGORIES = 1_000;
/** The number of messages in a page of GetCategoryMessages. */
export const PAGE = 100;
export const GROUP_SIZE = 4;

/** An AppendMessages request without message ids: the server makes them, so the same bytes can be sent repeatedly. */
export function appendRequest(streamName: string, count: number): Uint8Array {
  return toBinary(AppendMessagesRequestSchema, append(streamName, count));
}

/** An AppendToStreams request without message ids, for `count` messages to each of `streams` streams. */
export function fillRequest(category: string, streams: number, count: number): Uint8Array {
  const appends = Array.from({ length: streams }, (_, index) => append(`${category}-${index}`, count));
  return toBinary(AppendToStreamsRequestSchema, create(AppendToStreamsRequestSchema, { appends }));
}

function append(streamName: string, count: number): AppendMessagesRequest {
  const message = { type: TYPE, data: DATA, metadata: METADATA };
  const messages = Array.from({ length: count }, () => message);
  return create(AppendMessagesRequestSchema, { streamName, messages });
}

/** A ReadMessages request for a whole category. */
export function readRequest(category: string): Uint8Array {
  const request = create(ReadMessagesRequestSchema, { selector: { case: "category", value: category } });
  return toBinary(ReadMessagesRequestSchema, request);
}

/** A GetCategoryMessages request of member 1 of a consumer group of GROUP_SIZE. */
export function groupRequest(category: string, position: bigint): Uint8Array {
  const consumerGroup = { member: 1n, size: BigInt(GROUP_SIZE) };
  const request = create(GetCategoryMessagesRequestSchema, { category, position, batchSize: PAGE, consumerGroup });
  return toBinary(GetCategoryMessagesRequestSchema, request);
}
