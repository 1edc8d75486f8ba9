import type { LimitSpec, LimitsOf } from "../../kernel/limits.ts";

/** The limits of this area. */
export const STREAM_LIMITS = {
  maxAppendMessages: { default: 1_000, description: "messages in one append" },
  maxAppendStreams: { default: 100, description: "streams in one AppendToStreams" },
  maxBatchSize: { default: 10_000, description: "messages in one page of a stream or category" },
  maxTypes: { default: 100, description: "types in one filter" },
  maxConditionalDeleteMessages: {
    default: 10_000,
    description: "messages of a stream that DeleteStream takes with an expected_version",
  },
  maxRetentionPolicies: {
    default: 1_000,
    range: [1, 100_000],
    description: "retention policies in one namespace",
  },
} as const satisfies Record<string, LimitSpec>;

declare module "../../kernel/limits.ts" {
  interface Limits extends LimitsOf<typeof STREAM_LIMITS> {}
}
