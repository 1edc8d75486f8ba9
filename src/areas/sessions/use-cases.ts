import { type UseCases, useCases } from "../../kernel/use-cases.ts";
import { authenticate } from "./authenticate.ts";
import type { SessionContext } from "./context.ts";
import { count } from "./count.ts";
import { create } from "./create.ts";
import { deleteExpired } from "./delete-expired.ts";
import { deleteSession } from "./delete.ts";
import { elevate } from "./elevate.ts";
import { forgetDevice } from "./forget-device.ts";
import { get } from "./get.ts";
import { impersonate } from "./impersonate.ts";
import { listDevices } from "./list-devices.ts";
import { list } from "./list.ts";
import { getPolicy, updatePolicy } from "./policy.ts";
import { refresh } from "./refresh.ts";
import { revokeUser } from "./revoke-user.ts";
import { revoke } from "./revoke.ts";
import { rotate } from "./rotate.ts";
import { statistics } from "./statistics.ts";
import { touch } from "./touch.ts";
import { update } from "./update.ts";
import { validate } from "./validate.ts";

const USE_CASES = {
  authenticate,
  count,
  create,
  deleteExpired,
  deleteSession,
  elevate,
  forgetDevice,
  get,
  getPolicy,
  impersonate,
  list,
  listDevices,
  refresh,
  revoke,
  revokeUser,
  rotate,
  statistics,
  touch,
  update,
  updatePolicy,
  validate,
};

/** The use cases of login sessions. */
export type LoginSessions = UseCases<typeof USE_CASES>;

/** Binds the use cases of login sessions to what they are built on. */
export function loginSessions(context: SessionContext): LoginSessions {
  return useCases(context, USE_CASES);
}
