import { KIB, type LimitSpec, type LimitsOf } from "../../kernel/limits.ts";

/** The limits of this area. */
export const SESSION_LIMITS = {
  maxSessionMetadataBytes: { default: 16 * KIB, description: "bytes of a session's metadata" },
  maxRevokedSessions: { default: 10_000, description: "sessions that one RevokeUserSessions ends" },
  maxDeletedSessions: { default: 10_000, description: "sessions that one DeleteExpiredSessions deletes" },
} as const satisfies Record<string, LimitSpec>;

declare module "../../kernel/limits.ts" {
  interface Limits extends LimitsOf<typeof SESSION_LIMITS> {}
}
