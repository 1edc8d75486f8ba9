import type { MessageInitShape } from "@bufbuild/protobuf";
import { Role as WireRole } from "../../gen/satchel/options/v1/access_pb.ts";
import {
  type NamespaceSchema,
  NamespaceState,
  type NamespaceStatisticsSchema,
  type NamespaceTokenSchema,
} from "../../gen/satchel/v1/namespaces_pb.ts";
import type { Role } from "../../kernel/role.ts";
import { timestamp } from "../../kernel/rpc/times.ts";
import type { NamespaceStatistics } from "../streams/area.ts";
import type { TokenInfo } from "./namespace-tokens.ts";
import type { Namespace } from "./namespaces.ts";

const WIRE_ROLES = {
  reader: WireRole.READER,
  writer: WireRole.WRITER,
  admin: WireRole.ADMIN,
} as const satisfies Record<Role, WireRole>;
const WIRE_STATES = { active: NamespaceState.ACTIVE, deleting: NamespaceState.DELETING } as const;

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
