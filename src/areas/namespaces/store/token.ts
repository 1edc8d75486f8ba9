import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { ROLES } from "../../../kernel/role.ts";
import { Int64Type } from "../../../kernel/store/int64.ts";

/** A token of a namespace; its SHA-256, never its text. Times are microseconds since 1970, UTC. */
export const TokenEntity = defineEntity({
  name: "Token",
  tableName: "tokens",
  properties: {
    id: p.string().primary(),
    namespaceId: p.string(),
    hash: p.blob(),
    role: p.enum(ROLES),
    description: p.text(),
    createTimeMicros: p.type(Int64Type),
    expireTimeMicros: p.type(Int64Type).nullable(),
    revokeTimeMicros: p.type(Int64Type).nullable(),
  },
});

export type TokenRow = InferEntity<typeof TokenEntity>;

/** A token that has been read. */
export type TokenRecord = Readonly<TokenRow>;
