interface LimitSpec {
  readonly default: number;
  /** The range that configuration may choose from; a limit without one is part of the protocol and cannot be changed. */
  readonly range?: readonly [minimum: number, maximum: number];
  readonly description: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Every limit of the server. The key in snake_case is its name on the wire (LIMIT_EXCEEDED, GetServerInfo), and with
 * SATCHEL_ before it, in capitals, the environment variable that sets it: maxMessageBytes is max_message_bytes and
 * SATCHEL_MAX_MESSAGE_BYTES.
 */
export const LIMITS = {
  maxMessageBytes: {
    default: MIB,
    range: [KIB, 16 * MIB],
    description: "bytes of a message's data, and of its metadata",
  },
  maxRequestBytes: {
    default: 16 * MIB,
    range: [64 * KIB, 64 * MIB],
    description: "bytes of one request message, uncompressed",
  },
  maxPageBytes: {
    default: 3 * MIB,
    range: [64 * KIB, 64 * MIB],
    description: "bytes of data and metadata in one page; a page has at least one message",
  },
  maxAppendMessages: { default: 1_000, description: "messages in one append" },
  maxAppendStreams: { default: 100, description: "streams in one AppendToStreams" },
  maxBatchSize: { default: 10_000, description: "messages in one page of a stream or category" },
  maxPageSize: { default: 1_000, description: "items in one page of a list" },
  maxTypes: { default: 100, description: "types in one filter" },
  maxDescriptionCharacters: { default: 1_000, description: "characters of a description" },
  maxConditionalDeleteMessages: {
    default: 10_000,
    description: "messages of a stream that DeleteStream takes with an expected_version",
  },
  maxRetentionPolicies: {
    default: 1_000,
    range: [1, 100_000],
    description: "retention policies in one namespace",
  },
  maxUserIdCharacters: { default: 512, description: "characters of the id of a user" },
  maxDeviceIdBytes: { default: 255, description: "bytes of the id of a device" },
  maxSessionMetadataBytes: { default: 16 * KIB, description: "bytes of a session's metadata" },
  maxRevokedSessions: { default: 10_000, description: "sessions that one RevokeUserSessions ends" },
  maxDeletedSessions: { default: 10_000, description: "sessions that one DeleteExpiredSessions deletes" },
  maxNamespaces: { default: 100_000, range: [1, 1_000_000], description: "namespaces in the store" },
  maxTokensPerNamespace: {
    default: 1_000,
    range: [1, 100_000],
    description: "tokens of a namespace that are neither expired nor revoked",
  },
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
  maxQueuedAppends: {
    default: 10_000,
    range: [1, 1_000_000],
    description: "appends waiting in one namespace and process",
  },
  maxConnections: { default: 10_000, range: [1, 1_000_000], description: "connections at once" },
  maxConcurrentStreams: { default: 1_000, range: [1, 100_000], description: "calls at once on one HTTP/2 connection" },
  maxTimeoutMs: {
    default: 60_000,
    range: [100, 3_600_000],
    description: "milliseconds a unary call may take; a longer deadline is shortened to it",
  },
  maxHeaderBytes: { default: 32 * KIB, range: [8 * KIB, MIB], description: "bytes of a request's headers" },
} as const satisfies Record<string, LimitSpec>;

export type LimitName = keyof typeof LIMITS;

/** The limits in force. */
export type Limits = { readonly [Name in LimitName]: number };

/** The limits unless configured otherwise. */
export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, spec]) => [name, spec.default]),
) as { [Name in LimitName]: number };

/** The name of a limit on the wire: maxPageBytes is max_page_bytes. */
export function wireName(name: LimitName): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
