import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { fromJsonText, type JsonOptions } from "../core/json.ts";
import type { StreamMessage as WireMessage } from "../gen/satchel/v1/streams_pb.ts";

/** A message of a stream. */
export class StreamMessage {
  readonly id: string;
  readonly streamName: string;
  readonly type: string;
  /** Position in the stream, from 0. */
  readonly position: bigint;
  /** Position in the namespace. */
  readonly globalPosition: bigint;
  /** The data as JSON text; undefined: none. */
  readonly data: string | undefined;
  /** The metadata as JSON text; undefined: none. */
  readonly metadata: string | undefined;
  /** Time of the append: microseconds since 1970-01-01T00:00Z, by the clock of the store. */
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

  /** Time of the append, to the millisecond. */
  get time(): Date {
    return new Date(Number(this.timeMicros / 1_000n));
  }

  /** Parses the data; undefined when there is none. */
  json(options?: JsonOptions): unknown {
    return this.data === undefined ? undefined : fromJsonText(this.data, options);
  }

  /** Parses the metadata; undefined when there is none. */
  metadataJson(options?: JsonOptions): unknown {
    return this.metadata === undefined ? undefined : fromJsonText(this.metadata, options);
  }
}

/** Timestamp to microseconds since 1970. */
function microsOf({ seconds, nanos }: Timestamp): bigint {
  return seconds * 1_000_000n + BigInt(Math.floor(nanos / 1_000));
}
