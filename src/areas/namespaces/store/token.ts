import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { ROLES } from "../../../kernel/role.ts";
import { Int64Type } from "../../../kernel/store/int64.ts";

/** A token of a namespace: the SHA-256 of it, never the token. Times are microseconds since 1970, UTC. */
export const TokenEntity = defineEntity({
  name: "Token",
  tableName: "tokens",
  properties: {
    id: p.string().primary(),
    namespaceId: p.string(),
    hash: p.blob(),
    role: p.enum(ROLES),
    description: p.text(),
    createTime: p.type(Int64Type),
    expireTime: p.type(Int64Type).nullable(),
    revokeTime: p.type(Int64Type).nullable(),
  },
});

export type TokenRow = InferEntity<typeof TokenEntity>;
