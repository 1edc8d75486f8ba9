import type { EntityManager, FilterQuery } from "@mikro-orm/core";
import { type Clock, systemClock } from "../../kernel/clock.ts";
import { fieldError, limitExceeded, SatchelError } from "../../kernel/errors.ts";
import { type Limits, wireName } from "../../kernel/limits.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { Role } from "../../kernel/role.ts";
import type { Store } from "../../kernel/store/store.ts";
import { getNamespace, insertToken, lockNamespace } from "./store/namespace-rows.ts";
import { TokenEntity, type TokenRow } from "./store/token.ts";

/** A token of a namespace, without the token itself. */
export type TokenInfo = Readonly<TokenRow>;

/** The token to make. */
export interface NewTokenRequest {
  readonly namespaceId: NamespaceId;
  readonly role: Role;
  readonly description: string;
  /** In microseconds since 1970; unset = it does not expire. */
  readonly expireTime: bigint | undefined;
}

/** The tokens of namespaces, as the operator manages them. */
export class NamespaceTokens {
  readonly #store: Store;
  readonly #limits: Limits;
  readonly #clock: Clock;

  constructor(store: Store, limits: Limits, clock: Clock = systemClock()) {
    this.#store = store;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Makes a token. Throws FIELD_INVALID, NAMESPACE_NOT_FOUND, NAMESPACE_DELETING, LIMIT_EXCEEDED. */
  create(request: NewTokenRequest): Promise<{ readonly token: string; readonly info: TokenInfo }> {
    const { namespaceId, expireTime = null } = request;
    const now = this.#clock();
    if (expireTime !== null && expireTime <= now) throw fieldError("expire_time", "must be in the future");
    return this.#store.transact(async (em) => {
      const namespace = await lockNamespace(em, namespaceId);
      if (namespace.state === "deleting") {
        throw new SatchelError("NAMESPACE_DELETING", `the namespace ${namespaceId} is being deleted`);
      }
      await this.#refuseTooMany(em, namespaceId, now);
      const { token, row } = await insertToken(em, { ...request, expireTime, now });
      return { token, info: row };
    });
  }

  /** Lists tokens, oldest first. Throws NAMESPACE_NOT_FOUND, PAGE_TOKEN_INVALID. */
  async list(namespaceId: NamespaceId, request: ListRequest): Promise<ListPage<TokenInfo>> {
    return this.#store.read(async (em) => {
      await getNamespace(em, namespaceId);
      return listPage(
        request,
        ["tokens", namespaceId],
        ({ createTime, id }) => `${createTime}/${id}`,
        (after, limit) =>
          em.find(TokenEntity, tokensAfter(namespaceId, after), { orderBy: { createTime: "asc", id: "asc" }, limit }),
      );
    });
  }

  /** Revokes a token; again is no error. Throws NAMESPACE_NOT_FOUND, TOKEN_NOT_FOUND. */
  revoke(namespaceId: NamespaceId, tokenId: string): Promise<TokenInfo> {
    return this.#store.transact(async (em) => {
      await getNamespace(em, namespaceId);
      await em.nativeUpdate(TokenEntity, { id: tokenId, namespaceId, revokeTime: null }, { revokeTime: this.#clock() });
      const token = await em.findOne(TokenEntity, { id: tokenId, namespaceId });
      if (token === null)
        throw new SatchelError("TOKEN_NOT_FOUND", `there is no token ${tokenId} in the namespace ${namespaceId}`);
      return token;
    });
  }

  async #refuseTooMany(em: EntityManager, namespaceId: NamespaceId, now: bigint): Promise<void> {
    const unexpired = { $or: [{ expireTime: null }, { expireTime: { $gt: now } }] };
    const count = await em.count(TokenEntity, { namespaceId, revokeTime: null, ...unexpired });
    const { maxTokensPerNamespace } = this.#limits;
    if (count >= maxTokensPerNamespace) {
      throw limitExceeded(wireName("maxTokensPerNamespace"), maxTokensPerNamespace, count + 1, "namespace_id");
    }
  }
}

function tokensAfter(namespaceId: NamespaceId, after: string | undefined): FilterQuery<TokenRow> {
  if (after === undefined) return { namespaceId };
  const [time = "", id = ""] = after.split("/");
  const createTime = BigInt(time);
  return { namespaceId, $or: [{ createTime: { $gt: createTime } }, { createTime, id: { $gt: id } }] };
}
