import type { EntitySchema } from "@mikro-orm/core";
import type { EngineKind } from "../kernel/store/engine-kind.ts";
import type { StoreSchema } from "../kernel/store/engine.ts";
import type { JournalWriter } from "../kernel/store/journal-writer.ts";
import type { AreaMigrations } from "../kernel/store/migration.ts";
import { SettingEntity } from "../kernel/store/setting.ts";
import { groupsArea } from "./groups/area.ts";
import { namespacesArea } from "./namespaces/area.ts";
import { serverArea } from "./server/area.ts";
import { sessionsArea } from "./sessions/area.ts";
import { streamsArea } from "./streams/area.ts";

/** Every area of the server. Each may use those before it, through their `area.ts`. */
export const AREAS = [serverArea, streamsArea, groupsArea, sessionsArea, namespacesArea] as const;

type SettingsOf<Started> = Started extends { start: (kernel: never, settings: infer Settings) => unknown }
  ? (settings: Settings) => void
  : never;

/** What all areas together need of the configuration. */
export type AreaSettings = SettingsOf<(typeof AREAS)[number]> extends (settings: infer All) => void ? All : never;

/** The tables of all areas. */
export const STORE_SCHEMA: StoreSchema = {
  control: [SettingEntity, ...AREAS.flatMap((area): readonly EntitySchema[] => area.controlEntities ?? [])],
  namespace: AREAS.flatMap((area): readonly EntitySchema[] => area.namespaceEntities ?? []),
  migrations: { postgresql: migrationsOf("postgresql"), sqlite: migrationsOf("sqlite") },
};

function journalOf(areas: readonly { readonly journal?: JournalWriter }[]): JournalWriter {
  const [only, ...more] = areas.flatMap(({ journal }) => journal ?? []);
  if (only === undefined || more.length > 0) throw new Error("one area keeps the journal");
  return only;
}

/** The journal of all areas. */
export const JOURNAL: JournalWriter = journalOf(AREAS);

function migrationsOf(engine: EngineKind): readonly AreaMigrations[] {
  return AREAS.flatMap(({ migrations }) => (migrations === undefined ? [] : [migrations[engine]]));
}
