import { type Clock, systemClock } from "../../kernel/clock.ts";
import { newToken } from "../../kernel/crypto/token.ts";
import { SatchelError } from "../../kernel/errors.ts";
import { DEFAULT_NAMESPACE } from "../../kernel/namespace-id.ts";
import { insertSetting, SettingEntity, SettingExistsError } from "../../kernel/store/setting.ts";
import type { Store } from "../../kernel/store/store.ts";
import { insertNamespace } from "./store/namespace-rows.ts";
import { ROOT_TOKEN_SETTING } from "./tokens.ts";

const DEFAULT_NAMESPACE_SETTING = "default_namespace";

/** The secrets that a first start has made; this process alone knows them. */
export interface Bootstrapped {
  readonly rootToken?: string;
  readonly defaultNamespaceToken?: string;
}

interface BootstrapOptions {
  /** The operator's own root token; unset = one is generated, once per store. */
  readonly rootToken?: string | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Makes what a store needs at its first start: a root token, unless the operator has chosen one, and the namespace
 * `default`. When several replicas start at once, each secret goes to the one that has made it.
 */
export async function bootstrap(
  store: Store,
  { rootToken, clock = systemClock() }: BootstrapOptions,
): Promise<Bootstrapped> {
  const generated = rootToken === undefined ? await makeRootToken(store) : undefined;
  const namespaceToken = await makeDefaultNamespace(store, clock);
  return {
    ...(generated === undefined ? {} : { rootToken: generated }),
    ...(namespaceToken === undefined ? {} : { defaultNamespaceToken: namespaceToken }),
  };
}

async function makeRootToken(store: Store): Promise<string | undefined> {
  return once(store, ROOT_TOKEN_SETTING, async () => {
    const { token, parsed } = newToken("root");
    await store.transact((em) => insertSetting(em, ROOT_TOKEN_SETTING, Buffer.from(parsed.hash).toString("hex")));
    return token;
  });
}

/** The setting says that it has been made, so that an operator who deletes it does not meet it again after a restart. */
async function makeDefaultNamespace(store: Store, clock: Clock): Promise<string | undefined> {
  return once(store, DEFAULT_NAMESPACE_SETTING, async () => {
    try {
      return await store.transact(async (em) => {
        await insertSetting(em, DEFAULT_NAMESPACE_SETTING, DEFAULT_NAMESPACE);
        const namespace = { namespaceId: DEFAULT_NAMESPACE, description: "", now: clock() };
        return (await insertNamespace(em, store.engine, namespace)).token;
      });
    } catch (error) {
      if (!(error instanceof SatchelError) || error.reason !== "NAMESPACE_EXISTS") throw error;
      // Somebody has created it by hand.
      await store.transact((em) => insertSetting(em, DEFAULT_NAMESPACE_SETTING, DEFAULT_NAMESPACE));
      return undefined;
    }
  });
}

/** Makes something unless its setting is there; undefined when another process has been first. */
async function once<T>(store: Store, setting: string, make: () => Promise<T>): Promise<T | undefined> {
  const made = await store.read((em) => em.findOne(SettingEntity, { name: setting }));
  if (made !== null) return undefined;
  try {
    return await make();
  } catch (error) {
    if (error instanceof SettingExistsError) return undefined;
    throw error;
  }
}
