import type { RejectAction } from "./settlement-requests.ts";

const MAX_DELAY_MS = 7 * 24 * 60 * 60 * 1_000;
const MAX_REASON_CHARACTERS = 1_000;

/** A handler throws it to choose what becomes of its message. */
export class RejectMessage extends Error {
  override readonly name = "RejectMessage";
  readonly action: RejectAction;
  /** Delay of a "retry"; undefined: the group's backoff. */
  readonly delayMs: number | undefined;

  /** `delayMs` is 0 to 7 days; throws RangeError beyond that. */
  constructor(
    action: RejectAction,
    options: ErrorOptions & { readonly reason?: string | undefined; readonly delayMs?: number | undefined } = {},
  ) {
    const { reason = "", delayMs, ...rest } = options;
    if (delayMs !== undefined && !(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) {
      throw new RangeError(`a message may be delayed by 0 to ${MAX_DELAY_MS} milliseconds, not ${delayMs}`);
    }
    super(reason, rest);
    this.action = action;
    this.delayMs = delayMs;
  }
}

/** Why and how a message is rejected. */
export interface RejectionCause {
  readonly action: RejectAction;
  readonly reason: string;
  readonly delayMs: number | undefined;
}

/** The rejection for what a handler has thrown. Any error but a RejectMessage is a "retry" with the group's backoff. */
export function rejectionCauseOf(thrown: unknown): RejectionCause {
  const reason = reasonOf(thrown);
  if (thrown instanceof RejectMessage) return { action: thrown.action, reason, delayMs: thrown.delayMs };
  return { action: "retry", reason, delayMs: undefined };
}

/** Text that the server accepts as a reason, whatever was thrown: an invalid one would keep the message from being rejected. */
function reasonOf(thrown: unknown): string {
  let text: string;
  try {
    text = String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    text = "the handler has thrown something that cannot be written";
  }
  return text.replaceAll("\0", "").slice(0, MAX_REASON_CHARACTERS).toWellFormed();
}
