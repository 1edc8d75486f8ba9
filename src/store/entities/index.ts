import { NamespaceEntity } from "./namespace.ts";
import { SessionDeviceEntity } from "./session-device.ts";
import { SessionPolicyEntity } from "./session-policy.ts";
import { SessionEntity } from "./session.ts";
import { SettingEntity } from "./setting.ts";
import { SweepEntity } from "./sweep.ts";
import { TokenEntity } from "./token.ts";

/** The entities of the control plane. */
export const CONTROL_ENTITIES = [NamespaceEntity, TokenEntity, SettingEntity, SweepEntity];

/** The entities of every namespace, each in its own schema or file. */
export const NAMESPACE_ENTITIES = [SessionEntity, SessionDeviceEntity, SessionPolicyEntity];
