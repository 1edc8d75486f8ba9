import { NamespaceEntity } from "../../areas/namespaces/store/namespace.ts";
import { TokenEntity } from "../../areas/namespaces/store/token.ts";
import { SessionDeviceEntity } from "../../areas/sessions/store/session-device.ts";
import { SessionPolicyEntity } from "../../areas/sessions/store/session-policy.ts";
import { SessionEntity } from "../../areas/sessions/store/session.ts";
import { SweepEntity } from "../../areas/streams/store/sweep.ts";
import { SettingEntity } from "./setting.ts";

/** The entities of the control plane. */
export const CONTROL_ENTITIES = [NamespaceEntity, TokenEntity, SettingEntity, SweepEntity];

/** The entities of every namespace, each in its own schema or file. */
export const NAMESPACE_ENTITIES = [SessionEntity, SessionDeviceEntity, SessionPolicyEntity];
