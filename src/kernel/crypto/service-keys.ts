import { insertSetting, SettingEntity, SettingExistsError } from "../store/setting.ts";
import type { Store } from "../store/store.ts";
import { newServiceKey, parseServiceKey, type ServiceKey } from "./service-key.ts";

/** The setting that holds the store's own service key, in hexadecimal. */
const SERVICE_KEY_SETTING = "service_key";

/**
 * The keys from which tokens are derived: those that the operator has configured, the first of which makes new tokens, or
 * else the one that the first process to need it has made and put into the store.
 */
export class ServiceKeys {
  readonly #store: Store;
  #keys: Promise<readonly ServiceKey[]> | undefined;

  constructor(store: Store, configured: readonly ServiceKey[] = []) {
    this.#store = store;
    this.#keys = configured.length === 0 ? undefined : Promise.resolve(configured);
  }

  /** The key that makes new tokens. */
  async active(): Promise<ServiceKey> {
    const [active] = await this.#all();
    if (active === undefined) throw new Error("there is no service key");
    return active;
  }

  /** The key of this id, as long as there is one. */
  async find(id: string): Promise<ServiceKey | undefined> {
    return (await this.#all()).find((key) => key.id === id);
  }

  async #all(): Promise<readonly ServiceKey[]> {
    this.#keys ??= storedKey(this.#store).then((key) => [key]);
    try {
      return await this.#keys;
    } catch (error) {
      // The store was away.
      this.#keys = undefined;
      throw error;
    }
  }
}

async function storedKey(store: Store): Promise<ServiceKey> {
  const find = () => store.read((em) => em.findOne(SettingEntity, { name: SERVICE_KEY_SETTING }));
  let setting = await find();
  if (setting === null) {
    const text = Buffer.from(newServiceKey().secret).toString("hex");
    try {
      await store.transact((em) => insertSetting(em, SERVICE_KEY_SETTING, text));
    } catch (error) {
      if (!(error instanceof SettingExistsError)) throw error;
    }
    setting = await find();
  }
  const key = parseServiceKey(setting?.value ?? "");
  if (key === undefined) throw new Error(`the setting ${SERVICE_KEY_SETTING} of the store is not a key`);
  return key;
}
