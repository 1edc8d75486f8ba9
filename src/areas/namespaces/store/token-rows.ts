import type { EntityManager } from "@mikro-orm/core";
import { newToken } from "../../../kernel/crypto/token.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Role } from "../../../kernel/role.ts";
import { TokenEntity, type TokenRow } from "./token.ts";

/** The token to insert. */
export interface NewTokenRow {
  readonly namespaceId: NamespaceId;
  readonly role: Role;
  readonly description: string;
  /** In microseconds since 1970; null: the token does not expire. */
  readonly expireTimeMicros: bigint | null;
  readonly nowMicros: bigint;
}

/** Generates a token and inserts its hash. The text of the token exists only in the result. */
export async function insertToken(
  em: EntityManager,
  { namespaceId, role, description, expireTimeMicros, nowMicros }: NewTokenRow,
): Promise<{ readonly info: TokenRow; readonly token: string }> {
  const { token, parsed } = newToken("namespace");
  await em.insert(TokenEntity, {
    id: parsed.id,
    namespaceId,
    hash: Buffer.from(parsed.hash),
    role,
    description,
    createTimeMicros: nowMicros,
    expireTimeMicros,
    revokeTimeMicros: null,
  });
  return { info: await em.findOneOrFail(TokenEntity, { id: parsed.id }), token };
}
