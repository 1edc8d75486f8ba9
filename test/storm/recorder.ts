import type { ReadMessagesResponse, StreamMessage } from "../../src/gen/satchel/v1/streams_pb.ts";
import type { Append, Call, History, Moment, SeenFrame, SeenMessage, Selected, Start, Subscriber } from "./history.ts";

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;

/** Writes a history down while it happens. */
export class Recorder {
  readonly #appends: Append[] = [];
  readonly #subscribers: Subscriber[] = [];
  /** Messages that have been delivered to somebody. */
  readonly #delivered: SeenMessage[] = [];
  #now: Moment = 0;

  /** An append begins. */
  append(writer: string, ids: readonly string[]): Append {
    const append: Append = { writer, ids, began: ++this.#now, outcome: { kind: "unknown" } };
    this.#appends.push(append);
    return append;
  }

  /** The append has been acknowledged. */
  acknowledge(append: Append, places: (Append["outcome"] & { kind: "acknowledged" })["places"]): void {
    append.outcome = { kind: "acknowledged", at: ++this.#now, places };
  }

  subscriber(name: string, selected: Selected): Subscriber {
    const subscriber = { name, selected, calls: [] };
    this.#subscribers.push(subscriber);
    return subscriber;
  }

  call(subscriber: Subscriber, replica: number, follow: boolean, start: Start): Call {
    const call: Call = { replica, follow, opened: ++this.#now, start, frames: [], ended: "done" };
    subscriber.calls.push(call);
    return call;
  }

  frame(call: Call, { frame }: ReadMessagesResponse): SeenFrame {
    if (frame.case === undefined) throw new Error("a frame is empty");
    const messages = frame.case === "messages" ? frame.value.messages.map(seenMessage) : [];
    const position = frame.case === "messages" ? undefined : frame.value.position;
    const seen = { kind: frame.case, received: ++this.#now, messages, position };
    call.frames.push(seen);
    this.#delivered.push(...messages);
    return seen;
  }

  get delivered(): readonly SeenMessage[] {
    return this.#delivered;
  }

  history(stored: readonly SeenMessage[]): History {
    return { appends: this.#appends, subscribers: this.#subscribers, stored };
  }
}

/** A message in the terms of a history. */
export function seenMessage(message: StreamMessage): SeenMessage {
  const { id, streamName, type, position, globalPosition, data = "", metadata = "{}", time } = message;
  const timeMicros = (time?.seconds ?? 0n) * MICROS_PER_SECOND + BigInt((time?.nanos ?? 0) / NANOS_PER_MICRO);
  return { id, streamName, type, position, globalPosition, data, metadata, timeMicros };
}
