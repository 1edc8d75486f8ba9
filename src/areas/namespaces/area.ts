import type { Area } from "../../kernel/area.ts";
import { DEFAULT_NAMESPACE } from "../../kernel/namespace-id.ts";
import { type Bootstrapped, bootstrap } from "./bootstrap.ts";
import { namespaceRoutes } from "./handlers.ts";
import { NamespaceTokens } from "./namespace-tokens.ts";
import { Namespaces } from "./namespaces.ts";
import { NAMESPACES as NAMESPACES_ON_POSTGRESQL } from "./store/migrations/migrations.postgres.ts";
import { NAMESPACES as NAMESPACES_ON_SQLITE } from "./store/migrations/migrations.sqlite.ts";
import { NamespaceEntity } from "./store/namespace.ts";
import { TokenEntity } from "./store/token.ts";
import { type FirstToken, readToken, saveToken } from "./token-files.ts";
import { Tokens } from "./tokens.ts";

/** What the area needs of the configuration. */
export interface NamespaceSettings {
  /** The operator's own root token; unset: one is made at the first start. */
  readonly rootToken: string | undefined;
  /** Where the first tokens are kept; undefined: nowhere. */
  readonly tokenDir: string | undefined;
}

/** What others may use of namespaces. */
export interface NamespacesApi {
  readonly tokens: Tokens;
  /** What the first start of this store has made; also in files, where there is a directory for them. */
  readonly made: Bootstrapped;
  /** Whether the file of the namespace `default` holds a token of it. */
  readonly hasDefaultToken: boolean;
}

/** Namespaces and their tokens. */
export const namespacesArea: Area<NamespacesApi, NamespaceSettings> = {
  name: "namespaces",
  migrations: { postgresql: NAMESPACES_ON_POSTGRESQL, sqlite: NAMESPACES_ON_SQLITE },
  controlEntities: [NamespaceEntity, TokenEntity],
  async start({ store, limits, clock }, { rootToken, tokenDir }) {
    const made = await bootstrap(store, { rootToken, clock });
    if (tokenDir !== undefined)
      for (const [token, value] of Object.entries(made)) saveToken(tokenDir, token as FirstToken, value);
    const tokens = new Tokens(store, { rootToken, clock });
    const kept = tokenDir === undefined ? undefined : readToken(tokenDir, "defaultNamespaceToken");
    const hasDefaultToken = made.defaultNamespaceToken !== undefined || (await opensDefault(tokens, kept));
    const namespaces = new Namespaces(store, limits, clock);
    return {
      api: { tokens, made, hasDefaultToken },
      routes: namespaceRoutes(namespaces, new NamespaceTokens(store, limits, clock), limits),
      authenticate: (token) => tokens.authenticate(token),
    };
  },
};

async function opensDefault(tokens: Tokens, token: string | undefined): Promise<boolean> {
  if (token === undefined) return false;
  try {
    const principal = await tokens.authenticate(token);
    return principal.kind === "service" && principal.namespaceId === DEFAULT_NAMESPACE;
  } catch {
    return false;
  }
}
