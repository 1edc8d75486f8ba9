import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Role as WireRole } from "../../gen/satchel/options/v1/access_pb.ts";
import {
  type NamespaceSchema,
  NamespaceState,
  type NamespaceStatisticsSchema,
  type NamespaceTokenSchema,
} from "../../gen/satchel/v1/namespaces_pb.ts";
import type { AppendMessagesResponse, StreamMessage } from "../../gen/satchel/v1/streams_pb.ts";
import type { Role } from "../../kernel/role.ts";
import type { TokenInfo } from "../namespaces/namespace-tokens.ts";
import type { Namespace } from "../namespaces/namespaces.ts";
import type { AppendedMessage } from "./domain/append.ts";
import type { NamespaceStatistics, StoredMessage } from "./domain/message.ts";

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;

const WIRE_ROLES = {
  reader: WireRole.READER,
  writer: WireRole.WRITER,
  admin: WireRole.ADMIN,
} as const satisfies Record<Role, WireRole>;
const WIRE_STATES = { active: NamespaceState.ACTIVE, deleting: NamespaceState.DELETING } as const;

// What is on a hot path is built as a whole message, with its $typeName: protobuf-es then needs no pass over it.

/** A message of a stream. */
export function streamMessage(message: StoredMessage): StreamMessage {
  return {
    $typeName: "satchel.v1.StreamMessage",
    id: message.id,
    streamName: message.streamName,
    type: message.type,
    position: message.position,
    globalPosition: message.globalPosition,
    data: message.data ?? undefined,
    metadata: message.metadata ?? undefined,
    time: timestamp(message.timeMicros),
  };
}

/** What an append to one stream has done. */
export function appendResponse(messages: readonly AppendedMessage[]): AppendMessagesResponse {
  return {
    $typeName: "satchel.v1.AppendMessagesResponse",
    messages: messages.map(({ id, position, globalPosition, deduplicated }) => ({
      $typeName: "satchel.v1.AppendedMessage",
      id,
      position,
      globalPosition,
      deduplicated,
    })),
  };
}

/** A moment. */
export function timestamp(micros: bigint): Timestamp {
  const fraction = ((micros % MICROS_PER_SECOND) + MICROS_PER_SECOND) % MICROS_PER_SECOND;
  return {
    $typeName: "google.protobuf.Timestamp",
    seconds: (micros - fraction) / MICROS_PER_SECOND,
    nanos: Number(fraction) * NANOS_PER_MICRO,
  };
}

/** A namespace. */
export function namespace({
  id,
  description,
  state,
  createTime,
  updateTime,
}: Namespace): MessageInitShape<typeof NamespaceSchema> {
  return {
    namespaceId: id,
    description,
    state: WIRE_STATES[state],
    createTime: timestamp(createTime),
    updateTime: timestamp(updateTime),
  };
}

/** What a namespace holds. */
export function statistics({
  messageCount,
  categoryCount,
  storageBytes,
}: NamespaceStatistics): MessageInitShape<typeof NamespaceStatisticsSchema> {
  return { messageCount, categoryCount, storageBytes };
}

/** A token of a namespace, without the token itself. */
export function tokenInfo(token: TokenInfo): MessageInitShape<typeof NamespaceTokenSchema> {
  const { id, namespaceId, description, createTime, expireTime, revokeTime } = token;
  return {
    tokenId: id,
    namespaceId,
    role: WIRE_ROLES[token.role],
    description,
    createTime: timestamp(createTime),
    ...(expireTime == null ? {} : { expireTime: timestamp(expireTime) }),
    ...(revokeTime == null ? {} : { revokeTime: timestamp(revokeTime) }),
  };
}
