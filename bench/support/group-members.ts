import { fromBinary, type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import {
  AcknowledgeRequestSchema,
  AcknowledgeResponseSchema,
  ConsumeRequestSchema,
  ConsumeResponseSchema,
  type Delivery,
} from "../../src/gen/satchel/v1/consumer_groups_pb.ts";
import { GrpcLoad, messagesOf } from "./grpc-load.ts";
import { MessageReader } from "./message-reader.ts";

/** The group to join, and how. */
export interface GroupMembersOptions {
  readonly url: string;
  readonly token: string;
  readonly group: string;
  readonly members: number;
  /** The maximum of unacknowledged messages for each member. */
  readonly maxInFlight: number;
  /** Called with every batch that arrives. */
  readonly onDeliveries: (deliveries: readonly Delivery[]) => void;
}

const SERVICE = "satchel.v1.ConsumerGroupService";

/** Members of a consumer group, each over its own connection. They acknowledge every batch when it arrives. */
export class GroupMembers implements AsyncDisposable {
  readonly #options: GroupMembersOptions;
  readonly #loads: GrpcLoad[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  #acknowledged = 0;

  /** Resolves when every member has received its first frame. */
  static async join(options: GroupMembersOptions): Promise<GroupMembers> {
    const members = new GroupMembers(options);
    await Promise.all(Array.from({ length: options.members }, () => members.#join()));
    return members;
  }

  constructor(options: GroupMembersOptions) {
    this.#options = options;
  }

  /** Waits until everything received so far is acknowledged; returns the total number of acknowledged messages. */
  async acknowledged(): Promise<number> {
    await Promise.all(this.#pending);
    return this.#acknowledged;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.acknowledged();
    for (const load of this.#loads) await load[Symbol.asyncDispose]();
  }

  async #join(): Promise<void> {
    const { url, token, group, maxInFlight } = this.#options;
    const load = await GrpcLoad.connect(url, token);
    this.#loads.push(load);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const frames = new MessageReader((bytes) => {
      resolve();
      this.#receive(load, bytes);
    });
    const request = toBinary(
      ConsumeRequestSchema,
      create(ConsumeRequestSchema, { consumerGroupId: group, maxInFlight }),
    );
    load
      .stream(`${SERVICE}/Consume`, request, (chunk) => frames.add(chunk))
      .then(() => reject(new Error("a member's call has ended")), reject);
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
