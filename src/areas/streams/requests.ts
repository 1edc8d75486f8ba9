import type {
  AppendMessagesRequest,
  AppendToStreamsRequest,
  GetCategoryMessagesRequest,
  GetLastStreamMessageRequest,
  GetStreamMessagesRequest,
  GetStreamVersionRequest,
  ListCategoriesRequest,
  ListStreamsRequest,
  NewStreamMessage,
  ReadMessagesRequest,
} from "../../gen/satchel/v1/streams_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import * as fields from "../../kernel/rpc/fields.ts";
import * as jsonFields from "../../kernel/rpc/json-fields.ts";
import { parsed, type Problems } from "../../kernel/rpc/problems.ts";
import * as times from "../../kernel/rpc/times.ts";
import type { Expectation, NewMessage, StreamAppend } from "./domain/append.ts";
import type { Selector } from "./domain/message.ts";
import type { ReadRequest, ReadStart } from "./domain/read-messages.ts";
import type { StreamName } from "./domain/stream-name.ts";
import * as streamFields from "./fields.ts";
import type { PageRequest } from "./get-messages.ts";
import type { NamesRequest } from "./list-categories.ts";
import type { StreamsRequest } from "./list-streams.ts";

/** Parses the request of AppendMessages. Throws FIELD_INVALID and the like. */
export function parseAppend(request: AppendMessagesRequest, limits: Limits): StreamAppend {
  return parsed(limits, (problems) => streamAppend(request, "", problems));
}

/** Parses the request of AppendToStreams. Throws FIELD_INVALID and the like. */
export function parseAppends({ appends }: AppendToStreamsRequest, limits: Limits): readonly StreamAppend[] {
  return parsed(limits, (problems) => {
    const messageCount = appends.reduce((sum, { messages }) => sum + messages.length, 0);
    if (messageCount > limits.maxAppendMessages) {
      problems.addExcess("appends", "maxAppendMessages", messageCount);
      return [];
    }
    return appends.map((append, index) => streamAppend(append, `appends[${index}].`, problems));
  });
}

/** Parses the request of GetStreamMessages. Throws FIELD_INVALID and the like. */
export function parseStreamPage(request: GetStreamMessagesRequest, limits: Limits): PageRequest {
  return parsed(limits, (problems) => ({
    selector: { kind: "stream", streamName: streamFields.streamName(request.streamName, "stream_name", problems) },
    ...page(request, problems),
  }));
}

/** Parses the request of GetCategoryMessages. Throws FIELD_INVALID and the like. */
export function parseCategoryPage(request: GetCategoryMessagesRequest, limits: Limits): PageRequest {
  return parsed(limits, (problems) => ({
    selector: {
      kind: "category",
      category: streamFields.category(request.category, "category", problems),
      correlation: streamFields.optionalCategory(request.correlation, "correlation", problems),
      consumerGroup: streamFields.consumerGroup(request.consumerGroup, "consumer_group", problems),
    },
    ...page(request, problems),
  }));
}

/** Parses the request of GetLastStreamMessage. Throws FIELD_INVALID and the like. */
export function parseLast(
  request: GetLastStreamMessageRequest,
  limits: Limits,
): { streamName: StreamName; type: string | undefined } {
  return parsed(limits, (problems) => ({
    streamName: streamFields.streamName(request.streamName, "stream_name", problems),
    type: request.type === "" ? undefined : fields.wellFormed(request.type, "type", problems),
  }));
}

/** Parses the request of GetStreamVersion. Throws FIELD_INVALID and the like. */
export function parseVersion(request: GetStreamVersionRequest, limits: Limits): StreamName {
  return parsed(limits, (problems) => streamFields.streamName(request.streamName, "stream_name", problems));
}

/** Parses the request of ReadMessages. Throws FIELD_INVALID and the like. */
export function parseRead(request: ReadMessagesRequest, limits: Limits): ReadRequest {
  return parsed(limits, (problems) => ({
    selector: selector(request, problems),
    start: start(request.start, problems),
    follow: request.follow,
    types: streamFields.messageTypes(request.types, "types", problems),
    limit: request.limit === 0n ? undefined : request.limit,
  }));
}

/** Parses the request of ListCategories. Throws FIELD_INVALID and the like. */
export function parseCategoryList(request: ListCategoriesRequest, limits: Limits): NamesRequest {
  return parsed(limits, (problems) => names(request, problems));
}

/** Parses the request of ListStreams. Throws FIELD_INVALID and the like. */
export function parseStreamList(request: ListStreamsRequest, limits: Limits): StreamsRequest {
  return parsed(limits, (problems) => ({
    category: streamFields.optionalCategory(request.category, "category", problems),
    ...names(request, problems),
  }));
}

function streamAppend(request: AppendMessagesRequest, at: string, problems: Problems): StreamAppend {
  return {
    streamName: streamFields.writableStreamName(request.streamName, `${at}stream_name`, problems),
    expectation: expectation(request.expectation),
    messages: newMessages(request.messages, `${at}messages`, problems),
  };
}

function expectation(wire: AppendMessagesRequest["expectation"]): Expectation {
  switch (wire.case) {
    case "expectedVersion":
      return { kind: "version", version: wire.value };
    case "streamExists":
      return { kind: "exists" };
    default:
      return { kind: "any" };
  }
}

function newMessages(messages: readonly NewStreamMessage[], field: string, problems: Problems): readonly NewMessage[] {
  if (messages.length > problems.limits.maxAppendMessages) {
    problems.addExcess(field, "maxAppendMessages", messages.length);
    return [];
  }
  return messages.map((message, index) => newMessage(message, `${field}[${index}]`, problems));
}

function newMessage({ id, type, data, metadata }: NewStreamMessage, field: string, problems: Problems): NewMessage {
  return {
    id: streamFields.messageId(id, `${field}.id`, problems),
    type: streamFields.messageType(type, `${field}.type`, problems),
    data: jsonFields.json(data, `${field}.data`, problems),
    metadata: jsonFields.jsonObject(metadata, `${field}.metadata`, problems),
  };
}

function page(
  request: GetStreamMessagesRequest | GetCategoryMessagesRequest,
  problems: Problems,
): Omit<PageRequest, "selector"> {
  return {
    position: request.position,
    batchSize: streamFields.batchSize(request.batchSize),
    backwards: request.backwards,
    types: streamFields.messageTypes(request.types, "types", problems),
  };
}

function names(request: ListCategoriesRequest | ListStreamsRequest, problems: Problems): NamesRequest {
  return {
    prefix: fields.wellFormed(request.prefix, "prefix", problems),
    pageSize: fields.pageSize(request.pageSize),
    pageToken: request.pageToken,
  };
}

function selector(request: ReadMessagesRequest, problems: Problems): Selector {
  const correlation = streamFields.optionalCategory(request.correlation, "correlation", problems);
  const consumerGroup = streamFields.consumerGroup(request.consumerGroup, "consumer_group", problems);
  const { selector: wire } = request;
  if (wire.case === "category") {
    return {
      kind: "category",
      category: streamFields.category(wire.value, "category", problems),
      correlation,
      consumerGroup,
    };
  }
  if (correlation !== undefined) problems.add("correlation", "can only be used with a category");
  if (consumerGroup !== undefined) problems.add("consumer_group", "can only be used with a category");
  if (wire.case === "streamName")
    return { kind: "stream", streamName: streamFields.streamName(wire.value, "stream_name", problems) };
  // The .proto requires one. Should a request come without, it must not read everything.
  if (wire.case === undefined) problems.add("selector", "is required");
  return { kind: "all" };
}

function start(wire: ReadMessagesRequest["start"], problems: Problems): ReadStart {
  switch (wire.case) {
    case "position":
      return { kind: "position", position: wire.value };
    case "time":
      return { kind: "time", timeMicros: times.micros(wire.value, "time", problems) };
    case "cursor":
      return { kind: "cursor", cursor: wire.value };
    case "end":
      return { kind: "end" };
    default:
      return { kind: "beginning" };
  }
}
