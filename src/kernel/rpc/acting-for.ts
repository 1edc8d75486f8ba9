import type { Limits } from "../limits.ts";
import type { ServicePrincipal } from "../principal.ts";
import { deviceId, userId } from "./fields.ts";
import { Problems } from "./problems.ts";

/** The metadata by which a service says for which user it acts, and on which device; percent-encoded UTF-8. */
const USER_HEADER = "satchel-user";
const DEVICE_HEADER = "satchel-device";

/** The service as it acts for the user whom the call's metadata names, if any. Throws FIELD_INVALID, LIMIT_EXCEEDED. */
export function actingFor(service: ServicePrincipal, header: Headers, limits: Limits): ServicePrincipal {
  const user = header.get(USER_HEADER);
  if (user === null) return service;
  const problems = new Problems(limits);
  const acting = {
    ...service,
    userId: userId(decoded(user, USER_HEADER, problems), USER_HEADER, problems),
    deviceId: deviceId(decoded(header.get(DEVICE_HEADER) ?? "", DEVICE_HEADER, problems), DEVICE_HEADER, problems),
  };
  problems.throwIfAny();
  return acting;
}

function decoded(text: string, field: string, problems: Problems): string {
  try {
    return decodeURIComponent(text);
  } catch {
    problems.add(field, "must be percent-encoded UTF-8");
    return text;
  }
}
