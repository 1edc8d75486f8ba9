import type { JsonWriteOptions } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { OutgoingHttpHeaders } from "node:http2";
import type { Envelope } from "./envelope.ts";

/** How a protocol says in HTTP what a call needs. */
export interface Framing {
  readonly protocol: "grpc" | "grpc-web" | "connect";
  /** Whether there is a head before every message; otherwise the message is the body, and how it ends is in the headers. */
  readonly enveloped: boolean;
  /** The request's headers. */
  readonly headers: {
    /** The compression of its messages, and in answers of those. */
    readonly encoding: string;
    readonly acceptEncoding: string;
    readonly timeout: string;
  };
  /** The trailers of an answer, until somebody adds to them. */
  readonly trailer: Readonly<Record<string, string>>;
  /** Milliseconds; undefined when it is not a time. */
  parseTimeout(value: string): number | undefined;
  /** How a call ends that went well, and whose trailers nobody has added to. */
  readonly ok: Ending;
  /** How any call ends. */
  end(trailer: Headers, error: ConnectError | undefined, json: Partial<JsonWriteOptions>): Ending;
}

/** What comes after the messages of an answer. */
export interface Ending {
  /** As the last part of the body. */
  readonly envelope?: Envelope;
  /** In HTTP's own trailers. */
  readonly trailers?: OutgoingHttpHeaders;
}
