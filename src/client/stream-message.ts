import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { StreamMessage as WireMessage } from "../gen/satchel/v1/streams_pb.ts";
import { fromJsonText, type JsonOptions } from "./json.ts";

/** A message of a stream. */
export class StreamMessage {
  readonly id: string;
  readonly streamName: string;
  readonly type: string;
  /** Its ordinal in the stream, from 0. */
  readonly position: bigint;
  /** Its ordinal in the namespace. */
  readonly globalPosition: bigint;
  /** The data as JSON text; undefined when none was appended. */
  readonly data: string | undefined;
  /** The metadata as JSON text; undefined when none was appended. */
  readonly metadata: string | undefined;
  /** When it was appended: microseconds since 1970-01-01T00:00Z, by the clock of the store. */
  readonly timeMicros: bigint;

  constructor(message: WireMessage) {
    this.id = message.id;
    this.streamName = message.streamName;
    this.type = message.type;
    this.position = message.position;
    this.globalPosition = message.globalPosition;
    this.data = message.data;
    this.metadata = message.metadata;
    this.timeMicros = message.time === undefined ? 0n : microsOf(message.time);
  }

  /** When it was appended, to the millisecond. */
  get time(): Date {
    return new Date(Number(this.timeMicros / 1_000n));
  }

  /** The data parsed; undefined when there is none. */
  json(options?: JsonOptions): unknown {
    return this.data === undefined ? undefined : fromJsonText(this.data, options);
  }

  /** The metadata parsed; undefined when there is none. */
  metadataJson(options?: JsonOptions): unknown {
    return this.metadata === undefined ? undefined : fromJsonText(this.metadata, options);
  }
}

/** Microseconds since 1970. */
export function microsOf({ seconds, nanos }: Timestamp): bigint {
  return seconds * 1_000_000n + BigInt(Math.floor(nanos / 1_000));
}
