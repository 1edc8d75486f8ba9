import { GROUP_LIMITS } from "../areas/groups/limits.ts";
import { NAMESPACE_LIMITS } from "../areas/namespaces/limits.ts";
import { SESSION_LIMITS } from "../areas/sessions/limits.ts";
import { STREAM_LIMITS } from "../areas/streams/limits.ts";
import { KERNEL_LIMITS, type LimitName, type LimitSpec, type Limits } from "../kernel/limits.ts";

/** Every limit of the server, in one table. */
export const LIMITS: Readonly<Record<LimitName, LimitSpec>> = {
  ...KERNEL_LIMITS,
  ...STREAM_LIMITS,
  ...GROUP_LIMITS,
  ...SESSION_LIMITS,
  ...NAMESPACE_LIMITS,
};

/** The limits unless configured otherwise. */
export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, spec]) => [name, spec.default]),
) as { [Name in LimitName]: number };
