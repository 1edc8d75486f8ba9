import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { ROLES } from "../../domain/role.ts";

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
    createTime: p.bigint(),
    expireTime: p.bigint().nullable(),
    revokeTime: p.bigint().nullable(),
  },
});

export type TokenRow = InferEntity<typeof TokenEntity>;
