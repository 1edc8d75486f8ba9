import type { JsonWriteOptions } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { OutgoingHttpHeaders } from "node:http2";
import type { Envelope } from "./envelope.ts";

/** How a protocol represents a call in HTTP. */
export interface Framing {
  readonly protocol: "grpc" | "grpc-web" | "connect";
  /** True: each message has a head, and the end of the call follows the messages. False: the message is the body. */
  readonly enveloped: boolean;
  /** The names of the headers. */
  readonly headers: {
    /** The compression of the messages, in requests and responses. */
    readonly encoding: string;
    readonly acceptEncoding: string;
    readonly timeout: string;
  };
  /** The trailers of a response to which nothing was added. */
  readonly trailer: Readonly<Record<string, string>>;
  /** The timeout in milliseconds; undefined when the value is invalid. */
  parseTimeout(value: string): number | undefined;
  /** The end of a call without error and without added trailers. */
  readonly ok: Ending;
  /** The end of any call. */
  end(trailer: Headers, error: ConnectError | undefined, json: Partial<JsonWriteOptions>): Ending;
}

/** What follows the messages of a response. */
export interface Ending {
  /** The last part of the body. */
  readonly envelope?: Envelope;
  /** HTTP trailers. */
  readonly trailers?: OutgoingHttpHeaders;
}
