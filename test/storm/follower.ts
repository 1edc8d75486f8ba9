import { ConnectError } from "@connectrpc/connect";
import { setTimeout as delay } from "node:timers/promises";
import type { ReadMessagesResponse } from "../../src/gen/satchel/v1/streams_pb.ts";
import { inScope, positionIn } from "./check.ts";
import type { Call, SeenMessage, Selected, Start, Subscriber } from "./history.ts";
import type { Random } from "./random.ts";
import type { Recorder } from "./recorder.ts";
import { requestOf } from "./request.ts";
import type { Line, StormNamespace } from "./site.ts";

/** What a follower is given. */
export interface FollowerOptions {
  readonly name: string;
  readonly selected: Selected;
  readonly namespace: StormNamespace;
  readonly replicas: number;
  readonly random: Random;
  readonly recorder: Recorder;
}

/** How long a follower waits for what it must get, once all is written. */
const STALLED_MS = 15_000;
const MAX_START_DELAY_MS = 600;
const MAX_CUT_MS = [200, 2_000];
const MAX_CUT_FRAMES = 12;
const MAX_PAUSE_MS = 100;
/** Some take little before they read, so that the server has to wait for them. */
const WINDOWS_BYTES = [1_024, 64 * 1_024];

/** One who follows, begins anywhere, is slow at times, is cut off at any time, and goes on at any replica. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #record: Subscriber;
  readonly #lines: readonly Line[];
  /** How often it pauses after a frame. */
  readonly #pauses: number;
  readonly #finished = new AbortController();
  readonly #stalled = new AbortController();
  #start: Start = { kind: "beginning" };
  /** Everything before this position has been delivered. */
  #reached = 0n;
  /** What must have been delivered in the end; undefined while there is writing. */
  #goal: bigint | undefined;

  constructor(options: FollowerOptions) {
    const { name, selected, recorder, random, namespace, replicas } = options;
    this.#options = options;
    this.#record = recorder.subscriber(name, selected);
    this.#pauses = random.pick([0, 0.05, 0.3]);
    const windowBytes = random.pick(WINDOWS_BYTES);
    this.#lines = Array.from({ length: replicas }, (_, replica) => namespace.connect(replica, windowBytes));
  }

  get selected(): Selected {
    return this.#options.selected;
  }

  /** Follows to the end, then looks for what should not come. */
  async run(): Promise<void> {
    const { random } = this.#options;
    try {
      await delay(random.integer(0, MAX_START_DELAY_MS));
      await this.#chooseStart();
      while (!this.#finished.signal.aborted && !this.#failed) await this.#follow();
      if (!this.#failed) await this.#read(0n);
    } finally {
      for (const line of this.#lines) line[Symbol.dispose]();
    }
  }

  /** Everything is written: the follower ends when it has got the last of these, which it selects. */
  finish(messages: readonly SeenMessage[]): void {
    const last = messages.at(-1);
    this.#goal = last === undefined ? -1n : positionIn(this.selected, last);
    this.#finishIfDone();
    const timer = setTimeout(() => this.#stalled.abort(), STALLED_MS);
    this.#finished.signal.addEventListener("abort", () => clearTimeout(timer));
  }

  get #failed(): boolean {
    return this.#record.calls.some(({ ended }) => typeof ended === "object");
  }

  async #chooseStart(): Promise<void> {
    const { random, recorder, selected } = this.#options;
    const known = inScope(recorder.delivered, selected.of);
    const kind = random.pick(["beginning", "end", "position", "time", "cursor"] as const);
    if (kind === "cursor") return this.#read(BigInt(random.integer(1, 30)));
    if (kind === "end") this.#start = { kind };
    if (known.length === 0) return undefined;
    const message = random.pick(known);
    if (kind === "position") this.#start = { kind, position: positionIn(selected, message) };
    if (kind === "time") this.#start = { kind, timeMicros: message.timeMicros };
    return undefined;
  }

  /** Reads what there is, at most `limit` messages unless that is 0. */
  async #read(limit: bigint): Promise<void> {
    await this.#call({ follow: false, limit, signal: new AbortController().signal, enough: () => false });
  }

  /** Follows live until it is cut off, which it is not any more once all is written. */
  async #follow(): Promise<void> {
    const { random } = this.#options;
    const cut = new AbortController();
    const disconnects = random.chance(0.3);
    const most = random.chance(0.5) ? random.integer(1, MAX_CUT_FRAMES) : Number.POSITIVE_INFINITY;
    const interrupt = (): void => {
      if (this.#goal !== undefined) return;
      cut.abort();
      if (disconnects) for (const line of this.#lines) line.disconnect();
    };
    const timer = setTimeout(interrupt, random.integer(1, random.pick(MAX_CUT_MS)));
    try {
      await this.#call({
        follow: true,
        limit: 0n,
        signal: AbortSignal.any([this.#finished.signal, this.#stalled.signal, ...(disconnects ? [] : [cut.signal])]),
        cut: cut.signal,
        enough: (frames) => this.#goal === undefined && frames >= most,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #call({ follow, limit, signal, cut, enough }: CallPlan): Promise<void> {
    const { random, recorder, selected } = this.#options;
    const replica = random.integer(0, this.#lines.length - 1);
    const call = recorder.call(this.#record, replica, follow, this.#start);
    try {
      const request = requestOf(selected, this.#start, follow, limit);
      for await (const response of this.#lines[replica]!.streams.readMessages(request, { signal })) {
        this.#receive(call, response);
        if (enough(call.frames.length)) break;
        if (random.chance(this.#pauses)) await delay(random.integer(0, MAX_PAUSE_MS));
      }
      if (follow && !enough(call.frames.length)) call.ended = { problem: "it ended by itself" };
    } catch (error) {
      const meant = cut?.aborted === true || this.#finished.signal.aborted;
      const problem = this.#stalled.signal.aborted ? "nothing more came" : ConnectError.from(error).message;
      call.ended = meant ? "cut" : { problem };
    }
  }

  #receive(call: Call, response: ReadMessagesResponse): void {
    const { messages, position } = this.#options.recorder.frame(call, response);
    const last = messages.at(-1);
    this.#reached = last === undefined ? (position ?? 0n) : positionIn(this.selected, last) + 1n;
    this.#start = { kind: "cursor", cursor: response.frame.value?.cursor ?? "" };
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#goal !== undefined && this.#reached > this.#goal) this.#finished.abort();
  }
}

interface CallPlan {
  readonly follow: boolean;
  readonly limit: bigint;
  readonly signal: AbortSignal;
  /** Fires when the call is cut off on purpose. */
  readonly cut?: AbortSignal;
  /** Whether so many frames are enough. */
  readonly enough: (frames: number) => boolean;
}
