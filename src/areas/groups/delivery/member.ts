import { setTimeout as delay } from "node:timers/promises";
import type { ConsumeFrame } from "../domain/consumer-groups.ts";

/** Properties of a member. */
export interface MemberOptions {
  readonly memberId: string;
  readonly memberName: string;
  /** Maximum number of unsettled messages of the member. */
  readonly maxInFlight: number;
}

/** A member of a group, with the frames that wait to be sent to it. */
export class Member {
  readonly memberId: string;
  readonly memberName: string;
  readonly #maxInFlight: number;
  readonly #frames: ConsumeFrame[] = [];
  #error: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** Number of messages in the waiting frames, including those that are overdue by now. */
  #untaken = 0;
  /** Number of its unsettled messages. */
  inFlight = 0;
  /** It is leaving: nothing more is delivered to it. */
  leaving = false;
  /** Called when it has received frames and has room for messages again. */
  onRoom: () => void = () => {};

  constructor({ memberId, memberName, maxInFlight }: MemberOptions) {
    this.memberId = memberId;
    this.memberName = memberName;
    this.#maxInFlight = maxInFlight;
  }

  /**
   * How many more messages it can take. Messages in waiting frames count even when they are overdue. Otherwise a member
   * that has stopped reading would be sent the same messages again after each deadline.
   */
  get room(): number {
    return this.leaving ? 0 : this.#maxInFlight - Math.max(this.inFlight, this.#untaken);
  }

  /** Appends a frame. */
  tell(frame: ConsumeFrame): void {
    this.#frames.push(frame);
    if (frame.kind === "deliveries") this.#untaken += frame.deliveries.length;
    this.#wake?.();
  }

  /** Ends the member's call with an error, after the waiting frames. */
  fail(error: unknown): void {
    this.#error ??= { error };
    this.#wake?.();
  }

  /** The next frame, or a heartbeat after `heartbeatMs`. Throws the error of `fail`, or the signal's reason. */
  async next(heartbeatMs: number, signal: AbortSignal): Promise<ConsumeFrame> {
    signal.throwIfAborted();
    if (this.#frames.length === 0 && this.#error === undefined) await this.#news(heartbeatMs, signal);
    signal.throwIfAborted();
    const frame = this.#frames.shift();
    if (frame?.kind === "deliveries") this.#took(frame.deliveries.length);
    if (frame !== undefined) return frame;
    if (this.#error !== undefined) throw this.#error.error;
    return { kind: "heartbeat" };
  }

  #took(messages: number): void {
    const full = this.room <= 0;
    this.#untaken -= messages;
    if (full && this.room > 0) this.onRoom();
  }

  async #news(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const enough = new AbortController();
    const timeout = delay(timeoutMs, undefined, { signal: enough.signal }).catch(() => undefined);
    this.#wake = resolve;
    signal.addEventListener("abort", () => resolve(), { once: true, signal: enough.signal });
    await Promise.race([promise, timeout]);
    this.#wake = undefined;
    enough.abort();
  }
}
