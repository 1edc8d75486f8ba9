import type { RejectAction } from "./settlement.ts";

const MAX_DELAY_MS = 7 * 24 * 60 * 60 * 1_000;
const MAX_REASON_CHARACTERS = 1_000;

/** What a handler throws to say what becomes of its message. */
export class RejectMessage extends Error {
  override readonly name = "RejectMessage";
  readonly action: RejectAction;
  /** For "retry": how long to wait; undefined = as the group's backoff says. */
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

/** What a rejection says of whatever a handler has thrown. */
export interface Refusal {
  readonly action: RejectAction;
  readonly reason: string;
  readonly delayMs: number | undefined;
}

/** An error of any kind is a retry. */
export function refusalOf(thrown: unknown): Refusal {
  const reason = reasonOf(thrown);
  if (thrown instanceof RejectMessage) return { action: thrown.action, reason, delayMs: thrown.delayMs };
  return { action: "retry", reason, delayMs: undefined };
}

/** Text that the server takes as a reason; whatever was thrown, the message must be rejected. */
function reasonOf(thrown: unknown): string {
  let text: string;
  try {
    text = String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    text = "the handler has thrown something that cannot be written";
  }
  return text.replaceAll("\0", "").slice(0, MAX_REASON_CHARACTERS).toWellFormed();
}
