import type { Area } from "../../kernel/area.ts";
import { DEFAULT_NAMESPACE } from "../../kernel/namespace-id.ts";
import { streamsArea } from "../streams/area.ts";
import { TokenAuthenticator } from "./authenticate.ts";
import { bootstrap, type FirstTokens } from "./bootstrap.ts";
import { oneByOne } from "./context.ts";
import { namespaceRoutes } from "./handlers.ts";
import { NAMESPACES as NAMESPACES_ON_POSTGRESQL } from "./store/migrations/migrations.postgres.ts";
import { NAMESPACES as NAMESPACES_ON_SQLITE } from "./store/migrations/migrations.sqlite.ts";
import { NamespaceEntity } from "./store/namespace.ts";
import { TokenEntity } from "./store/token.ts";
import { readToken, saveTokens } from "./token-files.ts";

export { tokenPath } from "./token-files.ts";

/** What the area needs of the configuration. */
export interface NamespaceSettings {
  /** The operator's own root token; undefined: one is made at the first start. */
  readonly rootToken: string | undefined;
  /** The directory of the files with the first tokens; undefined: they are kept nowhere. */
  readonly tokenDir: string | undefined;
}

/** What others may use of namespaces. */
export interface NamespacesApi {
  /** The tokens that this start has made, if it was the store's first; they are also in files, if there is a `tokenDir`. */
  readonly made: FirstTokens;
  /** Whether the file of the namespace `default` holds a valid token of it. */
  readonly hasDefaultToken: boolean;
}

/** Namespaces and their tokens. */
export const namespacesArea: Area<NamespacesApi, NamespaceSettings> = {
  name: "namespaces",
  migrations: { postgresql: NAMESPACES_ON_POSTGRESQL, sqlite: NAMESPACES_ON_SQLITE },
  controlEntities: [NamespaceEntity, TokenEntity],
  async start(kernel, { rootToken, tokenDir }) {
    const { store, limits, clock } = kernel;
    const made = await bootstrap(store, { rootToken, clock });
    if (tokenDir !== undefined) saveTokens(tokenDir, made);
    const tokens = new TokenAuthenticator(store, { rootToken, clock });
    const kept = tokenDir === undefined ? undefined : readToken(tokenDir, "defaultNamespaceToken");
    const hasDefaultToken = made.defaultNamespaceToken !== undefined || (await opensDefault(tokens, kept));
    const { statistics } = kernel.use(streamsArea);
    return {
      api: { made, hasDefaultToken },
      routes: namespaceRoutes({ store, limits, clock, statistics, inTurn: oneByOne() }),
      authenticate: (token) => tokens.authenticate(token),
    };
  },
};

async function opensDefault(tokens: TokenAuthenticator, token: string | undefined): Promise<boolean> {
  if (token === undefined) return false;
  try {
    const principal = await tokens.authenticate(token);
    return principal.kind === "service" && principal.namespaceId === DEFAULT_NAMESPACE;
  } catch {
    return false;
  }
}
