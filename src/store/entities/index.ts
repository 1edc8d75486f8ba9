import { NamespaceEntity } from "./namespace.ts";
import { SettingEntity } from "./setting.ts";
import { SweepEntity } from "./sweep.ts";
import { TokenEntity } from "./token.ts";

/** The entities of the control plane. */
export const CONTROL_ENTITIES = [NamespaceEntity, TokenEntity, SettingEntity, SweepEntity];
