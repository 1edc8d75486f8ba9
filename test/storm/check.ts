import { memberOf } from "../../src/areas/streams/domain/group-member.ts";
import { checkAppends } from "./check-appends.ts";
import type { Call, History, Moment, SeenFrame, SeenMessage, Selected, Subscriber } from "./history.ts";

/** Everything that is wrong with a history, shortest first. */
export function checkHistory(history: History): string[] {
  const timeline = new Timeline(history);
  const problems = [
    ...checkAppends(history),
    ...history.subscribers.flatMap((subscriber) =>
      new SubscriberCheck(subscriber, history.stored, timeline).problems(),
    ),
  ];
  return problems.sort((a, b) => a.length - b.length);
}

/** The messages that are selected, in the order in which they must be delivered. */
export function selectedOf(stored: readonly SeenMessage[], { of, types }: Selected): SeenMessage[] {
  return inScope(stored, of).filter((message) => {
    if (types.length > 0 && !types.includes(message.type)) return false;
    if (of.kind !== "category") return true;
    if (of.correlation !== undefined && correlationOf(message) !== of.correlation) return false;
    return of.group === undefined || memberOf(message.streamName, of.group.size) === of.group.member;
  });
}

/** The position by which a selection is read. */
export function positionIn({ of }: Selected, message: SeenMessage): bigint {
  return of.kind === "stream" ? message.position : message.globalPosition;
}

/** Everything of the stream, the category or the namespace, whatever is selected of it. */
export function inScope(stored: readonly SeenMessage[], of: Selected["of"]): readonly SeenMessage[] {
  switch (of.kind) {
    case "all":
      return stored;
    case "stream":
      return stored.filter(({ streamName }) => streamName === of.streamName);
    case "category":
      return stored.filter(({ streamName }) => streamName.split("-", 1)[0] === of.category);
  }
}

function correlationOf({ metadata }: SeenMessage): string | undefined {
  const { correlationStreamName } = JSON.parse(metadata) as { correlationStreamName?: string };
  return correlationStreamName?.split("-", 1)[0];
}

/** When appends began and were acknowledged, by message. */
class Timeline {
  readonly #began = new Map<string, Moment>();
  readonly #acknowledged = new Map<string, Moment>();

  constructor({ appends }: History) {
    for (const { ids, began, outcome } of appends) {
      for (const id of ids) {
        this.#began.set(id, began);
        if (outcome.kind === "acknowledged") this.#acknowledged.set(id, outcome.at);
      }
    }
  }

  begunBefore({ id }: SeenMessage, moment: Moment): boolean {
    return (this.#began.get(id) ?? 0) < moment;
  }

  acknowledgedBefore({ id }: SeenMessage, moment: Moment): boolean {
    return (this.#acknowledged.get(id) ?? Number.POSITIVE_INFINITY) < moment;
  }
}

/** Follows what a subscriber was told through what it should have been told; stops at the first difference. */
class SubscriberCheck {
  readonly #subscriber: Subscriber;
  readonly #timeline: Timeline;
  readonly #stored: readonly SeenMessage[];
  readonly #expected: readonly SeenMessage[];
  readonly #delivered: ReadonlySet<string>;
  /** How much of what is expected has been delivered, or lies before the start. */
  #at = 0;

  constructor(subscriber: Subscriber, stored: readonly SeenMessage[], timeline: Timeline) {
    this.#subscriber = subscriber;
    this.#timeline = timeline;
    this.#stored = stored;
    this.#expected = selectedOf(stored, subscriber.selected);
    this.#delivered = new Set(
      subscriber.calls.flatMap(({ frames }) => frames.flatMap(({ messages }) => messages.map(({ id }) => id))),
    );
  }

  problems(): string[] {
    const { name, calls } = this.#subscriber;
    // A call that was cut before its first frame has told nothing: the next one begins where it did.
    const first = calls.find(({ frames }) => frames.length > 0) ?? calls[0];
    if (first === undefined) return [`${name} has made no call`];
    this.#at = this.#startOf(first);
    for (const [number, call] of calls.entries()) {
      const problem = this.#callProblem(call);
      if (problem !== undefined)
        return [`${name}, call ${number + 1} of ${calls.length}, at replica ${call.replica}: ${problem}`];
    }
    const missing = this.#expected[this.#at];
    return missing === undefined ? [] : [`${name}: ${described(missing)} was never delivered`];
  }

  #callProblem(call: Call): string | undefined {
    for (const [number, frame] of call.frames.entries()) {
      const problem = this.#frameProblem(call, frame);
      if (problem !== undefined) return `frame ${number + 1}: ${problem}`;
    }
    return typeof call.ended === "object" ? call.ended.problem : undefined;
  }

  #frameProblem(call: Call, frame: SeenFrame): string | undefined {
    for (const message of frame.messages) {
      const problem = this.#messageProblem(message, frame);
      if (problem !== undefined) return problem;
      this.#at++;
    }
    const next = this.#expected[this.#at];
    if (next === undefined || frame.position === undefined) return undefined;
    if (positionIn(this.#subscriber.selected, next) < frame.position)
      return `${frame.kind} goes on from ${frame.position}, but ${described(next)} was not delivered`;
    // A read of everything stops before an append that is under way.
    const complete = frame.kind === "caughtUp" && this.#subscriber.selected.of.kind !== "all";
    if (complete && this.#timeline.acknowledgedBefore(next, call.opened))
      return `caughtUp, but ${described(next)}, acknowledged before the call, was not delivered`;
    return undefined;
  }

  #messageProblem(message: SeenMessage, frame: SeenFrame): string | undefined {
    const next = this.#expected[this.#at];
    if (next?.id === message.id) {
      if (!this.#timeline.begunBefore(message, frame.received))
        return `${described(message)} was delivered before its append began`;
      return sameMessage(message, next) ? undefined : `${described(message)} is not as it is stored`;
    }
    const index = this.#expected.findIndex(({ id }) => id === message.id);
    if (index === -1) return `${described(message)} was delivered, but is not selected`;
    if (index < this.#at) return `${described(message)} was delivered again`;
    if (next !== undefined && this.#delivered.has(next.id))
      return `${described(message)} was delivered before ${described(next)}`;
    return `${described(next ?? message)} was skipped: ${described(message)} came instead`;
  }

  /** How much of what is expected lies before the start. */
  #startOf(call: Call): number {
    const { selected } = this.#subscriber;
    const { start } = call;
    switch (start.kind) {
      case "beginning":
        return 0;
      case "position":
        return this.#before(start.position);
      case "time": {
        const first = inScope(this.#stored, selected.of).find(({ timeMicros }) => timeMicros >= start.timeMicros);
        return first === undefined ? this.#expected.length : this.#before(positionIn(selected, first));
      }
      case "end":
        return this.#endOf(call);
      case "cursor":
        throw new Error("the first call of a subscriber has no cursor to go on from");
    }
  }

  /** The end is where the first frame says it is, within what was there when the call was opened and when the frame came. */
  #endOf({ frames, opened }: Call): number {
    const [frame] = frames;
    if (frame === undefined) return this.#expected.length;
    const { selected } = this.#subscriber;
    const [message] = frame.messages;
    const start = this.#before(message === undefined ? (frame.position ?? 0n) : positionIn(selected, message));
    const least =
      selected.of.kind === "all"
        ? 0
        : this.#expected.findLastIndex((one) => this.#timeline.acknowledgedBefore(one, opened)) + 1;
    const later = this.#expected.findIndex((one) => !this.#timeline.begunBefore(one, frame.received));
    return Math.max(least, Math.min(start, later === -1 ? this.#expected.length : later));
  }

  #before(position: bigint): number {
    const index = this.#expected.findIndex((message) => positionIn(this.#subscriber.selected, message) >= position);
    return index === -1 ? this.#expected.length : index;
  }
}

function described({ streamName, position, globalPosition }: SeenMessage): string {
  return `${streamName}@${position} (global ${globalPosition})`;
}

function sameMessage(one: SeenMessage, other: SeenMessage): boolean {
  return (Object.keys(other) as (keyof SeenMessage)[]).every((key) => one[key] === other[key]);
}
