/** One limit of the server. */
export interface LimitSpec {
  readonly default: number;
  /** The range that configuration may choose from; a limit without one is part of the protocol and cannot be changed. */
  readonly range?: readonly [minimum: number, maximum: number];
  readonly description: string;
}

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** The limits of whatever the server does for every area. */
export const KERNEL_LIMITS = {
  maxRequestBytes: {
    default: 16 * MIB,
    range: [64 * KIB, 64 * MIB],
    description: "bytes of one request message, uncompressed",
  },
  maxMessageBytes: {
    default: MIB,
    range: [KIB, 16 * MIB],
    description: "bytes of a message's data, and of its metadata",
  },
  maxPageBytes: {
    default: 3 * MIB,
    range: [64 * KIB, 64 * MIB],
    description: "bytes of data and metadata in one page; a page has at least one message",
  },
  maxPageSize: { default: 1_000, description: "items in one page of a list" },
  maxQueuedAppends: {
    default: 10_000,
    range: [1, 1_000_000],
    description: "appends waiting in one namespace and process",
  },
  maxUserIdCharacters: { default: 512, description: "characters of the id of a user" },
  maxDeviceIdBytes: { default: 255, description: "bytes of the id of a device" },
  maxConnections: { default: 10_000, range: [1, 1_000_000], description: "connections at once" },
  maxConcurrentStreams: { default: 1_000, range: [1, 100_000], description: "calls at once on one HTTP/2 connection" },
  maxTimeoutMs: {
    default: 60_000,
    range: [100, 3_600_000],
    description: "milliseconds a unary call may take; a longer deadline is shortened to it",
  },
  maxHeaderBytes: { default: 32 * KIB, range: [8 * KIB, MIB], description: "bytes of a request's headers" },
} as const satisfies Record<string, LimitSpec>;

/** The values of a table of limits. */
export type LimitsOf<Table> = { readonly [Name in keyof Table]: number };

/**
 * The limits in force. Each area adds its own in its `limits.ts`, by declaring this interface again. The key of a limit in
 * snake_case is its name on the wire (LIMIT_EXCEEDED, GetServerInfo), and with SATCHEL_ before it, in capitals, the
 * environment variable that sets it: maxMessageBytes is max_message_bytes and SATCHEL_MAX_MESSAGE_BYTES.
 */
export interface Limits extends LimitsOf<typeof KERNEL_LIMITS> {}

export type LimitName = keyof Limits;

/** The name of a limit on the wire: maxPageBytes is max_page_bytes. */
export function wireName(name: LimitName): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
