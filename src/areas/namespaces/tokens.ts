import { type Clock, systemClock } from "../../kernel/clock.ts";
import {
  MIN_ROOT_TOKEN_CHARACTERS,
  type ParsedToken,
  parseToken,
  sameHash,
  sha256,
} from "../../kernel/crypto/token.ts";
import { SatchelError } from "../../kernel/errors.ts";
import type { Principal, UserPrincipal } from "../../kernel/principal.ts";
import { Remembered } from "../../kernel/recent-cache.ts";
import { SharedLookups } from "../../kernel/shared-lookups.ts";
import type { TokenRecord } from "../../kernel/store/dialect.ts";
import { SettingEntity } from "../../kernel/store/setting.ts";
import type { Store } from "../../kernel/store/store.ts";
import { parseSessionToken, type SessionToken } from "../sessions/domain/session-token.ts";

/** The setting that holds the SHA-256 of the generated root token, in hexadecimal. */
export const ROOT_TOKEN_SETTING = "root_token_sha256";

/** A back end has one or a few tokens, and says one with every call; to hash it costs more than a look at these. */
const REMEMBERED_TOKENS = 500;

interface TokensOptions {
  /** The operator's own root token; unset = the one that the first start has generated. */
  readonly rootToken?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Says which user holds a token of a session, and, for a `use`, notes that; unset = such tokens are not valid. */
  readonly authenticateUser?: ((token: SessionToken, use: boolean) => Promise<UserPrincipal>) | undefined;
}

/** Finds out who calls. */
export class Tokens {
  readonly #configuredRootHash: Uint8Array | undefined;
  readonly #clock: Clock;
  readonly #records: SharedLookups<TokenRecord | undefined>;
  readonly #rootHash: SharedLookups<Uint8Array | undefined>;
  readonly #authenticateUser: TokensOptions["authenticateUser"];
  /** Taken apart; whether they are good is looked up each time. */
  readonly #parsed = new Remembered(REMEMBERED_TOKENS, parseToken);

  constructor(store: Store, { rootToken, clock = systemClock(), authenticateUser }: TokensOptions = {}) {
    if (rootToken !== undefined && rootToken.length < MIN_ROOT_TOKEN_CHARACTERS) {
      throw new RangeError(`the root token must have at least ${MIN_ROOT_TOKEN_CHARACTERS} characters`);
    }
    this.#configuredRootHash = rootToken === undefined ? undefined : sha256(rootToken);
    this.#clock = clock;
    this.#authenticateUser = authenticateUser;
    this.#records = new SharedLookups((tokenId) => store.dialect.findToken(tokenId));
    this.#rootHash = new SharedLookups((name) => storedRootHash(store, name));
  }

  /**
   * Says who holds the token. Throws CREDENTIAL_INVALID, whatever is wrong with it; but SESSION_EXPIRED or SESSION_REVOKED
   * for what was the token of a session. A `use` is an activity of the session.
   */
  async authenticate(token: string, use = true): Promise<Principal> {
    const ofSession = this.#authenticateUser === undefined ? undefined : parseSessionToken(token);
    if (ofSession !== undefined && this.#authenticateUser !== undefined) return this.#authenticateUser(ofSession, use);
    const parsed = this.#parsed.of(token);
    const principal = (await this.#operator(token, parsed)) ?? (await this.#service(parsed));
    if (principal === undefined) throw credentialInvalid();
    return principal;
  }

  async #operator(token: string, parsed: ParsedToken | undefined): Promise<Principal | undefined> {
    const expected =
      this.#configuredRootHash ?? (parsed?.kind === "root" ? await this.#rootHash.get(ROOT_TOKEN_SETTING) : undefined);
    if (expected === undefined) return undefined;
    // The operator's own token may be any text, so what does not parse is compared, too.
    return sameHash(parsed?.hash ?? sha256(token), expected) ? { kind: "operator" } : undefined;
  }

  async #service(parsed: ParsedToken | undefined): Promise<Principal | undefined> {
    if (parsed?.kind !== "namespace") return undefined;
    const record = await this.#records.get(parsed.id);
    if (record === undefined || !sameHash(parsed.hash, record.hash)) return undefined;
    const expired = record.expireTime !== undefined && record.expireTime <= this.#clock();
    if (expired || record.revoked || !record.active) return undefined;
    return { kind: "service", namespaceId: record.namespaceId, role: record.role, tokenId: record.tokenId };
  }
}

/** The one answer to every bad credential. */
export function credentialInvalid(): SatchelError {
  return new SatchelError("CREDENTIAL_INVALID", "the credential is not valid");
}

async function storedRootHash(store: Store, name: string): Promise<Uint8Array | undefined> {
  const setting = await store.read((em) => em.findOne(SettingEntity, { name }));
  return setting === null ? undefined : Buffer.from(setting.value, "hex");
}
