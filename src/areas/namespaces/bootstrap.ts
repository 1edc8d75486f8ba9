import { type Clock, systemClock } from "../../kernel/clock.ts";
import { newToken } from "../../kernel/crypto/token.ts";
import { SatchelError } from "../../kernel/errors.ts";
import { DEFAULT_NAMESPACE } from "../../kernel/namespace-id.ts";
import { insertSetting, SettingEntity, SettingExistsError } from "../../kernel/store/setting.ts";
import type { Store } from "../../kernel/store/store.ts";
import { ROOT_TOKEN_SETTING } from "./authenticate.ts";
import { insertNamespace } from "./store/namespace-rows.ts";

const DEFAULT_NAMESPACE_SETTING = "default_namespace";

/** The tokens that the first start of a store has made; only this process knows them. */
export interface FirstTokens {
  readonly rootToken?: string;
  readonly defaultNamespaceToken?: string;
}

interface BootstrapOptions {
  /** The operator's own root token; undefined: one is generated, once per store. */
  readonly rootToken?: string | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Creates at the first start of a store a root token, unless the operator has chosen one, and the namespace `default`.
 * When several replicas start at once, each token is returned by the one that has created it.
 */
export async function bootstrap(
  store: Store,
  { rootToken, clock = systemClock() }: BootstrapOptions,
): Promise<FirstTokens> {
  const generated = rootToken === undefined ? await createRootToken(store) : undefined;
  const namespaceToken = await createDefaultNamespace(store, clock);
  return {
    ...(generated === undefined ? {} : { rootToken: generated }),
    ...(namespaceToken === undefined ? {} : { defaultNamespaceToken: namespaceToken }),
  };
}

async function createRootToken(store: Store): Promise<string | undefined> {
  return once(store, ROOT_TOKEN_SETTING, async () => {
    const { token, parsed } = newToken("root");
    await store.transact((em) => insertSetting(em, ROOT_TOKEN_SETTING, Buffer.from(parsed.hash).toString("hex")));
    return token;
  });
}

/** A setting remembers the creation, so that a namespace that the operator has deleted does not come back at a restart. */
async function createDefaultNamespace(store: Store, clock: Clock): Promise<string | undefined> {
  return once(store, DEFAULT_NAMESPACE_SETTING, async () => {
    try {
      return await store.transact(async (em) => {
        await insertSetting(em, DEFAULT_NAMESPACE_SETTING, DEFAULT_NAMESPACE);
        const namespace = { namespaceId: DEFAULT_NAMESPACE, description: "", nowMicros: clock() };
        return (await insertNamespace(em, store.engine, namespace)).token;
      });
    } catch (error) {
      if (!(error instanceof SatchelError) || error.reason !== "NAMESPACE_EXISTS") throw error;
      // An operator has created it.
      await store.transact((em) => insertSetting(em, DEFAULT_NAMESPACE_SETTING, DEFAULT_NAMESPACE));
      return undefined;
    }
  });
}

/** Runs `create`, which inserts the setting, unless the setting exists; undefined when another process was first. */
async function once<T>(store: Store, setting: string, create: () => Promise<T>): Promise<T | undefined> {
  const existing = await store.read((em) => em.findOne(SettingEntity, { name: setting }));
  if (existing !== null) return undefined;
  try {
    return await create();
  } catch (error) {
    if (error instanceof SettingExistsError) return undefined;
    throw error;
  }
}
