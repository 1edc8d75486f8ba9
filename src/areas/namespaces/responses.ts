import type { MessageInitShape } from "@bufbuild/protobuf";
import { Role as WireRole } from "../../gen/satchel/options/v1/access_pb.ts";
import { type NamespaceSchema, NamespaceState, type NamespaceTokenSchema } from "../../gen/satchel/v1/namespaces_pb.ts";
import type { Role } from "../../kernel/role.ts";
import { timestamp } from "../../kernel/rpc/times.ts";
import type { NamespaceRecord } from "./store/namespace.ts";
import type { TokenRecord } from "./store/token.ts";

const WIRE_ROLES = {
  reader: WireRole.READER,
  writer: WireRole.WRITER,
  admin: WireRole.ADMIN,
} as const satisfies Record<Role, WireRole>;
const WIRE_STATES = { active: NamespaceState.ACTIVE, deleting: NamespaceState.DELETING } as const;

/** A namespace. */
export function namespace(record: NamespaceRecord): MessageInitShape<typeof NamespaceSchema> {
  return {
    namespaceId: record.id,
    description: record.description,
    state: WIRE_STATES[record.state],
    createTime: timestamp(record.createTimeMicros),
    updateTime: timestamp(record.updateTimeMicros),
  };
}

/** A token of a namespace, without its text. */
export function tokenInfo(record: TokenRecord): MessageInitShape<typeof NamespaceTokenSchema> {
  const { expireTimeMicros, revokeTimeMicros } = record;
  return {
    tokenId: record.id,
    namespaceId: record.namespaceId,
    role: WIRE_ROLES[record.role],
    description: record.description,
    createTime: timestamp(record.createTimeMicros),
    ...(expireTimeMicros == null ? {} : { expireTime: timestamp(expireTimeMicros) }),
    ...(revokeTimeMicros == null ? {} : { revokeTime: timestamp(revokeTimeMicros) }),
  };
}
