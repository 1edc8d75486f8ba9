import { fromBinary, type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import {
  AcknowledgeRequestSchema,
  AcknowledgeResponseSchema,
  ConsumeRequestSchema,
  ConsumeResponseSchema,
  type Delivery,
} from "../../src/gen/satchel/v1/consumer_groups_pb.ts";
import { envelope } from "../../test/support/raw.ts";
import { GrpcLoad, messagesOf } from "./grpc-load.ts";

/** Who takes part, and where. */
export interface GroupMembersOptions {
  readonly url: string;
  readonly token: string;
  readonly group: string;
  readonly members: number;
  /** How many messages each of them holds at once. */
  readonly maxInFlight: number;
  /** Messages have come. */
  readonly onDeliveries: (deliveries: readonly Delivery[]) => void;
}

const SERVICE = "satchel.v1.ConsumerGroupService";
const HEAD_BYTES = 5;
const WINDOW_BYTES = 16 * 1024 * 1024;

/** Members with a connection each, by a client that does little: they acknowledge every batch as it comes. */
export class GroupMembers implements AsyncDisposable {
  readonly #options: GroupMembersOptions;
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #loads: GrpcLoad[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  #acknowledged = 0;

  /** Resolves when all of them have joined. */
  static async join(options: GroupMembersOptions): Promise<GroupMembers> {
    const members = new GroupMembers(options);
    await Promise.all(Array.from({ length: options.members }, () => members.#join()));
    return members;
  }

  constructor(options: GroupMembersOptions) {
    this.#options = options;
  }

  /** Resolves when everything that has come so far is acknowledged, with how many messages that were. */
  async acknowledged(): Promise<number> {
    await Promise.all(this.#pending);
    return this.#acknowledged;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.acknowledged();
    for (const session of this.#sessions) session.destroy();
    for (const load of this.#loads) await load[Symbol.asyncDispose]();
  }

  async #join(): Promise<void> {
    const { url, token, group, maxInFlight } = this.#options;
    const load = await GrpcLoad.connect(url, token);
    this.#loads.push(load);
    const session = connect(url, { settings: { initialWindowSize: WINDOW_BYTES } });
    this.#sessions.push(session);
    session.on("error", () => undefined);
    await once(session, "connect");
    session.setLocalWindowSize(WINDOW_BYTES);
    const stream = session.request({
      ":method": "POST",
      ":path": `/${SERVICE}/Consume`,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${token}`,
    });
    const request = create(ConsumeRequestSchema, { consumerGroupId: group, maxInFlight });
    stream.end(envelope(toBinary(ConsumeRequestSchema, request)));
    stream.on("error", () => undefined);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    stream.on("close", () => reject(new Error("a member's call has ended")));
    let rest: Buffer = Buffer.alloc(0);
    stream.on("data", (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= HEAD_BYTES && rest.length >= HEAD_BYTES + rest.readUInt32BE(1)) {
        const bytes = rest.subarray(HEAD_BYTES, HEAD_BYTES + rest.readUInt32BE(1));
        rest = rest.subarray(HEAD_BYTES + bytes.length);
        resolve();
        this.#receive(load, bytes);
      }
    });
    return promise;
  }

  #receive(load: GrpcLoad, bytes: Uint8Array): void {
    const { frame } = fromBinary(ConsumeResponseSchema, bytes);
    if (frame.case !== "deliveries") return;
    const { deliveries } = frame.value;
    this.#options.onDeliveries(deliveries);
    for (const ofPartition of Map.groupBy(deliveries, ({ partition }) => partition).values()) {
      const { partition, epoch, sequence: upToSequence } = ofPartition.at(-1)!;
      this.#acknowledge(load, { consumerGroupId: this.#options.group, partition, epoch, upToSequence });
    }
  }

  #acknowledge(load: GrpcLoad, request: MessageInitShape<typeof AcknowledgeRequestSchema>): void {
    const bytes = toBinary(AcknowledgeRequestSchema, create(AcknowledgeRequestSchema, request));
    const acknowledging = this.#call(load, bytes).finally(() => this.#pending.delete(acknowledging));
    this.#pending.add(acknowledging);
  }

  async #call(load: GrpcLoad, bytes: Uint8Array): Promise<void> {
    const [answer] = messagesOf(await load.call(`${SERVICE}/Acknowledge`, bytes));
    const { acknowledgedCount } = fromBinary(AcknowledgeResponseSchema, answer ?? new Uint8Array());
    this.#acknowledged += Number(acknowledgedCount);
  }
}
