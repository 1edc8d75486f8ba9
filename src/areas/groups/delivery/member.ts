import { setTimeout as delay } from "node:timers/promises";
import type { ConsumeFrame } from "../domain/consumer-groups.ts";

/** How a member takes part. */
export interface MemberOptions {
  readonly memberId: string;
  readonly memberName: string;
  /** How many messages it may hold at once. */
  readonly maxInFlight: number;
}

/** One who takes part in a group, and what it has to be told. */
export class Member {
  readonly memberId: string;
  readonly memberName: string;
  readonly #maxInFlight: number;
  readonly #frames: ConsumeFrame[] = [];
  #error: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** How many messages wait in the frames, also those that are overdue by now. */
  #untaken = 0;
  /** How many messages it holds. */
  inFlight = 0;
  /** It is about to go: it gets nothing more. */
  leaving = false;
  /** Called when it has taken frames, and so can take more messages. */
  onRoom: () => void = () => {};

  constructor({ memberId, memberName, maxInFlight }: MemberOptions) {
    this.memberId = memberId;
    this.memberName = memberName;
    this.#maxInFlight = maxInFlight;
  }

  /**
   * How many more messages it can take. What it has not even fetched counts for as long as it has not: one who has stopped
   * reading is not given the same messages again each time they are overdue.
   */
  get room(): number {
    return this.leaving ? 0 : this.#maxInFlight - Math.max(this.inFlight, this.#untaken);
  }

  /** Tells it something. */
  tell(frame: ConsumeFrame): void {
    this.#frames.push(frame);
    if (frame.kind === "deliveries") this.#untaken += frame.deliveries.length;
    this.#wake?.();
  }

  /** It cannot go on. */
  fail(error: unknown): void {
    this.#error ??= { error };
    this.#wake?.();
  }

  /** What it has to be told next; a heartbeat when that has taken too long. Throws what `fail` was given, or the signal's reason. */
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
