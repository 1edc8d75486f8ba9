import { defineEntity, type EntityManager, p, UniqueConstraintViolationException } from "@mikro-orm/core";

/** One value that belongs to the whole store, such as the hash of the root token. */
export const SettingEntity = defineEntity({
  name: "Setting",
  tableName: "settings",
  properties: {
    name: p.string().primary(),
    value: p.text(),
  },
});

/** The setting has been stored before, perhaps by another replica just now. */
export class SettingExistsError extends Error {}

/** Stores a setting. Throws SettingExistsError when it is there; the transaction can then only be rolled back. */
export async function insertSetting(em: EntityManager, name: string, value: string): Promise<void> {
  await insertOrElse(
    () => em.insert(SettingEntity, { name, value }),
    () => new SettingExistsError(name),
  );
}

/** Inserts a row; throws `taken` when its key is there. After that the transaction can only be rolled back. */
export async function insertOrElse(insert: () => Promise<unknown>, taken: () => Error): Promise<void> {
  try {
    await insert();
  } catch (error) {
    throw error instanceof UniqueConstraintViolationException ? taken() : error;
  }
}
