import type { LimitSpec, LimitsOf } from "../../kernel/limits.ts";

/** The limits of this area. */
export const GROUP_LIMITS = {
  maxConsumerGroups: {
    default: 1_000,
    range: [1, 100_000],
    description: "consumer groups of a namespace",
  },
  maxConsumerGroupPartitions: { default: 256, description: "partitions of a consumer group" },
  maxBackoffSteps: { default: 20, description: "delays in a consumer group's backoff" },
  maxInFlightMessages: { default: 1_000, description: "messages that a member of a consumer group may hold at once" },
  maxSettledMessages: {
    default: 1_000,
    description: "global positions in one list of Acknowledge, Reject, ReplayParkedMessages or DeleteParkedMessages",
  },
  maxReasonCharacters: { default: 1_000, description: "characters of the reason of a Reject" },
} as const satisfies Record<string, LimitSpec>;

declare module "../../kernel/limits.ts" {
  interface Limits extends LimitsOf<typeof GROUP_LIMITS> {}
}
