import type { ConsumerGroup } from "../../gen/satchel/v1/consumer_groups_pb.ts";
import type { Problems } from "../../kernel/rpc/problems.ts";
import * as times from "../../kernel/rpc/times.ts";
import type { GroupSettings } from "./domain/consumer-groups.ts";
import { GROUP_DEFAULTS } from "./domain/group-settings.ts";

type Setting = (group: ConsumerGroup, problems: Problems) => Partial<GroupSettings>;

/** Every setting that may be changed, by its path in a field mask. */
const SETTINGS = {
  acknowledge_timeout: (group, problems) => ({ acknowledgeTimeoutMicros: acknowledgeTimeout(group, problems) }),
  "retry_policy.max_attempts": (group) => ({ maxAttempts: maxAttempts(group) }),
  "retry_policy.backoff": (group, problems) => ({ backoffMicros: backoff(group, problems) }),
  max_in_flight_per_entity: (group) => ({ maxInFlightPerEntity: maxInFlightPerEntity(group) }),
} as const satisfies Record<string, Setting>;

type Path = keyof typeof SETTINGS;

const PATHS: ReadonlyMap<string, readonly Path[]> = new Map<string, readonly Path[]>([
  ...(Object.keys(SETTINGS) as Path[]).map((path) => [path, [path]] as const),
  ["retry_policy", ["retry_policy.max_attempts", "retry_policy.backoff"]],
]);

/** The settings of a new group; unset ones have their defaults. */
export function settings(group: ConsumerGroup, problems: Problems): GroupSettings {
  return {
    acknowledgeTimeoutMicros: acknowledgeTimeout(group, problems),
    maxAttempts: maxAttempts(group),
    backoffMicros: backoff(group, problems),
    maxInFlightPerEntity: maxInFlightPerEntity(group),
  };
}

/** The settings that a field mask names; the others are ignored. */
export function maskedSettings(
  group: ConsumerGroup,
  mask: readonly string[],
  problems: Problems,
): Partial<GroupSettings> {
  if (mask.length === 0) problems.add("update_mask", "must name at least one field");
  // The constraint of the .proto also lets paths below a field pass.
  if (mask.some((path) => !PATHS.has(path)))
    problems.add("update_mask", `can only name ${[...PATHS.keys()].join(", ")}`);
  const named = new Set(mask.flatMap((path) => PATHS.get(path) ?? []));
  return Object.assign({}, ...[...named].map((path) => SETTINGS[path](group, problems))) as Partial<GroupSettings>;
}

function acknowledgeTimeout({ acknowledgeTimeout: wire }: ConsumerGroup, problems: Problems): bigint {
  if (wire === undefined) return GROUP_DEFAULTS.acknowledgeTimeoutMicros;
  const field = "consumer_group.acknowledge_timeout";
  return times.duration(wire, field, problems);
}

function maxAttempts({ retryPolicy }: ConsumerGroup): number {
  return retryPolicy?.maxAttempts || GROUP_DEFAULTS.maxAttempts;
}

function backoff({ retryPolicy }: ConsumerGroup, problems: Problems): readonly bigint[] {
  const steps = retryPolicy?.backoff ?? [];
  const field = "consumer_group.retry_policy.backoff";
  if (steps.length === 0) return GROUP_DEFAULTS.backoffMicros;
  return steps.map((step, index) => times.duration(step, `${field}[${index}]`, problems));
}

function maxInFlightPerEntity({ maxInFlightPerEntity: wire }: ConsumerGroup): number {
  return wire || GROUP_DEFAULTS.maxInFlightPerEntity;
}
