import { type Clock, systemClock } from "../../kernel/clock.ts";
import {
  MIN_ROOT_TOKEN_CHARACTERS,
  type ParsedToken,
  parseToken,
  sameHash,
  sha256,
} from "../../kernel/crypto/token.ts";
import type { Principal } from "../../kernel/principal.ts";
import { RecentCache } from "../../kernel/recent-cache.ts";
import { credentialInvalid } from "../../kernel/rpc/authenticate.ts";
import { SharedLookups } from "../../kernel/shared-lookups.ts";
import { SettingEntity } from "../../kernel/store/setting.ts";
import type { Store } from "../../kernel/store/store.ts";
import { type FoundToken, findToken } from "./store/find-token.ts";

/** The setting that holds the SHA-256 of the generated root token, in hexadecimal. */
export const ROOT_TOKEN_SETTING = "root_token_sha256";

/** A back end sends one of its few tokens with every call; to hash a token costs more than to find it in a cache. */
const PARSED_TOKENS = 500;

interface TokenAuthenticatorOptions {
  /** The operator's own root token; undefined: the one that the first start has generated. */
  readonly rootToken?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** Finds the principal of a root token or of a namespace's token. */
export class TokenAuthenticator {
  readonly #configuredRootHash: Uint8Array | undefined;
  readonly #clock: Clock;
  readonly #tokens: SharedLookups<FoundToken | undefined>;
  readonly #rootHash: SharedLookups<Uint8Array | undefined>;
  /** Only the parsing is cached. Whether a token is valid is looked up in the store with every call. */
  readonly #parsed = new RecentCache(PARSED_TOKENS, parseToken);

  /** Throws RangeError when the operator's own root token is too short. */
  constructor(store: Store, { rootToken, clock = systemClock() }: TokenAuthenticatorOptions = {}) {
    if (rootToken !== undefined && rootToken.length < MIN_ROOT_TOKEN_CHARACTERS) {
      throw new RangeError(`the root token must have at least ${MIN_ROOT_TOKEN_CHARACTERS} characters`);
    }
    this.#configuredRootHash = rootToken === undefined ? undefined : sha256(rootToken);
    this.#clock = clock;
    this.#tokens = new SharedLookups((tokenId) => findToken(store, tokenId));
    this.#rootHash = new SharedLookups((name) => findRootHash(store, name));
  }

  /** Returns the principal that holds the token. Throws CREDENTIAL_INVALID, whatever is wrong with the token. */
  async authenticate(token: string): Promise<Principal> {
    const parsed = this.#parsed.get(token);
    const principal = (await this.#operator(token, parsed)) ?? (await this.#service(parsed));
    if (principal === undefined) throw credentialInvalid();
    return principal;
  }

  async #operator(token: string, parsed: ParsedToken | undefined): Promise<Principal | undefined> {
    const expected =
      this.#configuredRootHash ?? (parsed?.kind === "root" ? await this.#rootHash.get(ROOT_TOKEN_SETTING) : undefined);
    if (expected === undefined) return undefined;
    // The operator's own token may be any text, so text that is no token of ours is compared, too.
    return sameHash(parsed?.hash ?? sha256(token), expected) ? { kind: "operator" } : undefined;
  }

  async #service(parsed: ParsedToken | undefined): Promise<Principal | undefined> {
    if (parsed?.kind !== "namespace") return undefined;
    const found = await this.#tokens.get(parsed.id);
    if (found === undefined || !sameHash(parsed.hash, found.hash)) return undefined;
    const expired = found.expireTimeMicros !== undefined && found.expireTimeMicros <= this.#clock();
    if (expired || found.revoked || !found.active) return undefined;
    return { kind: "service", namespaceId: found.namespaceId, role: found.role, tokenId: found.tokenId };
  }
}

async function findRootHash(store: Store, name: string): Promise<Uint8Array | undefined> {
  const setting = await store.read((em) => em.findOne(SettingEntity, { name }));
  return setting === null ? undefined : Buffer.from(setting.value, "hex");
}
