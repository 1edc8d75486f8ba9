import { defineEntity, p } from "@mikro-orm/core";

/** One value that belongs to the whole store, such as the hash of the root token. */
export const SettingEntity = defineEntity({
  name: "Setting",
  tableName: "settings",
  properties: {
    name: p.string().primary(),
    value: p.text(),
  },
});
