import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { GrpcLoad } from "../../bench/support/grpc-load.ts";
import { MessageReader } from "../../bench/support/message-reader.ts";
import { ReadMessagesRequestSchema, type ReadMessagesResponse } from "../../src/gen/satchel/v1/streams_pb.ts";

/** What a frame is, by the number of its field in ReadMessagesResponse. */
const KINDS = [undefined, "messages", "caughtUp", "fellBehind", "checkpoint", "heartbeat"] as const;
const METHOD = "satchel.v1.StreamService/ReadMessages";

export interface RawFollowersOptions {
  readonly url: string;
  readonly token: string;
  readonly connections: number;
  /** What each of them follows. */
  readonly requests: readonly MessageInitShape<typeof ReadMessagesRequestSchema>[];
  /** A frame has come for one of them; the bytes are a ReadMessagesResponse, and another one when it returns. */
  readonly onFrame?: (follower: number, kind: ReadMessagesResponse["frame"]["case"], bytes: Uint8Array) => void;
}

/** Many who follow, over a few connections, by a client that does as little as can be done: nothing is decoded. */
export class RawFollowers implements Disposable {
  readonly #options: RawFollowersOptions;
  readonly #loads: GrpcLoad[] = [];

  /** Resolves when all of them have caught up. */
  static async open(options: RawFollowersOptions): Promise<RawFollowers> {
    const followers = new RawFollowers(options);
    const { url, token, connections, requests } = options;
    for (let count = 0; count < connections; count++) followers.#loads.push(await GrpcLoad.connect(url, token));
    await Promise.all(requests.map((_, follower) => followers.#follow(follower)));
    return followers;
  }

  constructor(options: RawFollowersOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    for (const load of this.#loads) void load[Symbol.asyncDispose]();
  }

  #follow(follower: number): Promise<void> {
    const { requests, onFrame } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const frames = new MessageReader((bytes) => {
      const kind = KINDS[(bytes[0] ?? 0) >>> 3];
      if (kind === "caughtUp") resolve();
      onFrame?.(follower, kind, bytes);
    });
    const request = create(ReadMessagesRequestSchema, { follow: true, ...requests[follower] });
    this.#loads[follower % this.#loads.length]!.stream(METHOD, toBinary(ReadMessagesRequestSchema, request), (chunk) =>
      frames.add(chunk),
    ).then(() => reject(new Error("a follower's call has ended")), reject);
    return promise;
  }
}
