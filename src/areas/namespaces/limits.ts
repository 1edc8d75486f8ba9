import type { LimitSpec, LimitsOf } from "../../kernel/limits.ts";

/** The limits of this area. */
export const NAMESPACE_LIMITS = {
  maxNamespaces: { default: 100_000, range: [1, 1_000_000], description: "namespaces in the store" },
  maxTokensPerNamespace: {
    default: 1_000,
    range: [1, 100_000],
    description: "tokens of a namespace that are neither expired nor revoked",
  },
  maxDescriptionCharacters: { default: 1_000, description: "characters of a description" },
} as const satisfies Record<string, LimitSpec>;

declare module "../../kernel/limits.ts" {
  interface Limits extends LimitsOf<typeof NAMESPACE_LIMITS> {}
}
