import { type Clock, systemClock } from "../../kernel/clock.ts";
import {
  MIN_ROOT_TOKEN_CHARACTERS,
  type ParsedToken,
  parseToken,
  sameHash,
  sha256,
} from "../../kernel/crypto/token.ts";
import type { Principal } from "../../kernel/principal.ts";
import { Remembered } from "../../kernel/recent-cache.ts";
import { credentialInvalid } from "../../kernel/rpc/authenticate.ts";
import { SharedLookups } from "../../kernel/shared-lookups.ts";
import { SettingEntity } from "../../kernel/store/setting.ts";
import type { Store } from "../../kernel/store/store.ts";
import { findToken } from "./store/find-token.ts";
import type { TokenRecord } from "./store/token-record.ts";

/** The setting that holds the SHA-256 of the generated root token, in hexadecimal. */
export const ROOT_TOKEN_SETTING = "root_token_sha256";

/** A back end has one or a few tokens, and says one with every call; to hash it costs more than a look at these. */
const REMEMBERED_TOKENS = 500;

interface TokensOptions {
  /** The operator's own root token; unset = the one that the first start has generated. */
  readonly rootToken?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** Finds out who calls. */
export class Tokens {
  readonly #configuredRootHash: Uint8Array | undefined;
  readonly #clock: Clock;
  readonly #records: SharedLookups<TokenRecord | undefined>;
  readonly #rootHash: SharedLookups<Uint8Array | undefined>;
  /** Taken apart; whether they are good is looked up each time. */
  readonly #parsed = new Remembered(REMEMBERED_TOKENS, parseToken);

  constructor(store: Store, { rootToken, clock = systemClock() }: TokensOptions = {}) {
    if (rootToken !== undefined && rootToken.length < MIN_ROOT_TOKEN_CHARACTERS) {
      throw new RangeError(`the root token must have at least ${MIN_ROOT_TOKEN_CHARACTERS} characters`);
    }
    this.#configuredRootHash = rootToken === undefined ? undefined : sha256(rootToken);
    this.#clock = clock;
    this.#records = new SharedLookups((tokenId) => findToken(store, tokenId));
    this.#rootHash = new SharedLookups((name) => storedRootHash(store, name));
  }

  /**
   * Says who holds a root token or a token of a namespace. Throws CREDENTIAL_INVALID, whatever is wrong with it.
   */
  async authenticate(token: string): Promise<Principal> {
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

async function storedRootHash(store: Store, name: string): Promise<Uint8Array | undefined> {
  const setting = await store.read((em) => em.findOne(SettingEntity, { name }));
  return setting === null ? undefined : Buffer.from(setting.value, "hex");
}
