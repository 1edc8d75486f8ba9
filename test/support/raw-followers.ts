import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { ReadMessagesRequestSchema, type ReadMessagesResponse } from "../../src/gen/satchel/v1/streams_pb.ts";
import { envelope } from "./raw.ts";

/** What a frame is, by the number of its field in ReadMessagesResponse. */
const KINDS = [undefined, "messages", "caughtUp", "fellBehind", "checkpoint", "heartbeat"] as const;
const HEAD_BYTES = 5;
const WINDOW_BYTES = 16 * 1024 * 1024;

export interface RawFollowersOptions {
  readonly url: string;
  readonly token: string;
  readonly connections: number;
  /** What each of them follows. */
  readonly requests: readonly MessageInitShape<typeof ReadMessagesRequestSchema>[];
  /** A frame has come for one of them; the bytes are a ReadMessagesResponse. */
  readonly onFrame?: (follower: number, kind: ReadMessagesResponse["frame"]["case"], bytes: Uint8Array) => void;
}

/** Many who follow, over a few connections, by a client that does as little as can be done: nothing is decoded. */
export class RawFollowers implements Disposable {
  readonly #options: RawFollowersOptions;
  readonly #sessions: ClientHttp2Session[] = [];

  /** Resolves when all of them have caught up. */
  static async open(options: RawFollowersOptions): Promise<RawFollowers> {
    const followers = new RawFollowers(options);
    for (let count = 0; count < options.connections; count++) followers.#sessions.push(await openSession(options.url));
    await Promise.all(options.requests.map((_, follower) => followers.#follow(follower)));
    return followers;
  }

  constructor(options: RawFollowersOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session.destroy();
  }

  #follow(follower: number): Promise<void> {
    const { token, requests, onFrame } = this.#options;
    const request = create(ReadMessagesRequestSchema, { follow: true, ...requests[follower] });
    const stream = this.#sessions[follower % this.#sessions.length]!.request({
      ":method": "POST",
      ":path": "/satchel.v1.StreamService/ReadMessages",
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${token}`,
    });
    stream.end(envelope(toBinary(ReadMessagesRequestSchema, request)));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    stream.on("error", () => undefined);
    stream.on("close", () => reject(new Error("a follower's call has ended")));
    let rest: Buffer = Buffer.alloc(0);
    stream.on("data", (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= HEAD_BYTES && rest.length >= HEAD_BYTES + rest.readUInt32BE(1)) {
        const bytes = rest.subarray(HEAD_BYTES, HEAD_BYTES + rest.readUInt32BE(1));
        rest = rest.subarray(HEAD_BYTES + bytes.length);
        const kind = KINDS[(bytes[0] ?? 0) >>> 3];
        if (kind === "caughtUp") resolve();
        onFrame?.(follower, kind, bytes);
      }
    });
    return promise;
  }
}

async function openSession(url: string): Promise<ClientHttp2Session> {
  const session = connect(url, { settings: { initialWindowSize: WINDOW_BYTES } });
  session.on("error", () => undefined);
  await once(session, "connect");
  session.setLocalWindowSize(WINDOW_BYTES);
  return session;
}
