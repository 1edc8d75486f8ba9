import { Code, ConnectError } from "@connectrpc/connect";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "../../../clients/typescript/src/index.ts";
import type { Delivery, RejectRequest } from "../../../src/gen/satchel/v1/consumer_groups_pb.ts";
import type { Random } from "../random.ts";
import type { Settlement } from "./history.ts";
import type { GroupRecorder } from "./recorder.ts";
import type { GroupLine, Replicas } from "./replicas.ts";

/** Where members are, and what they go by. */
export interface GroupPlace {
  readonly replicas: Replicas;
  readonly token: string;
  readonly groupId: string;
  readonly acknowledgeTimeoutMs: number;
  readonly recorder: GroupRecorder;
  /** From when on everybody stays, and handles at once what it is given. */
  readonly calm: AbortSignal;
  /** Everybody goes. */
  readonly finished: AbortSignal;
  /** Who is where, by the names of members. */
  readonly at: Map<string, number>;
}

const MICROS = { perSecond: 1_000_000n, perMs: 1_000n };
const MAX_STAY_MS = [300, 2_500];
const REJOIN_MS = 60;

/** Takes part again and again with raw calls, each time as another member, at any replica. */
export async function takePart(name: string, place: GroupPlace, random: Random): Promise<void> {
  for (let round = 0; !place.finished.aborted; round++) {
    const member = new RawMember(`${name}.${round}`, place, random.fork());
    await member.run();
    await delay(random.integer(0, REJOIN_MS));
  }
}

/** Takes part with the client's `run`, until it is stopped cleanly, and again. */
export async function takePartByRun(name: string, place: GroupPlace, random: Random): Promise<void> {
  const { replicas, token, groupId, recorder, acknowledgeTimeoutMs, calm, finished } = place;
  for (let round = 0; !finished.aborted; round++) {
    const member = `${name}.${round}`;
    const replica = random.integer(0, replicas.count - 1);
    using client = createClient({ baseUrl: replicas.url(replica), token });
    place.at.set(member, replica);
    const run = client.consumerGroups.run({
      group: groupId,
      memberName: member,
      concurrency: random.pick([1, 4]),
      maxInFlight: random.pick([3, 20]),
      handler: async ({ globalPosition: position }, { partition, epoch, attempt, deadline }) => {
        const decidedMicros = BigInt(deadline.getTime() - acknowledgeTimeoutMs) * MICROS.perMs;
        recorder.deliver({ member, partition, epoch, position, attempt, decidedMicros });
        if (!calm.aborted) await delay(random.integer(0, 15));
        const throws = !calm.aborted && random.chance(0.05);
        // What becomes of it is between the client and the server.
        recorder.settle({
          member,
          partition,
          epoch,
          kind: throws ? "retry" : "acknowledge",
          positions: [position],
        });
        if (throws) throw new Error("a handler of the storm has failed");
      },
      onEvent: (event) => {
        if (event.kind !== "assigned") return;
        for (const { partition, epoch } of event.partitions) recorder.assign({ member, partition, epoch });
      },
    });
    // What it fails with is heard when it is stopped.
    run.catch(() => undefined);
    await stays(random, calm, finished);
    recorder.lose(new Set([member]), "member left");
    await run.stop();
    place.at.delete(member);
  }
}

/** A while, or, once it is calm, to the end. */
async function stays(random: Random, calm: AbortSignal, finished: AbortSignal): Promise<void> {
  const ms = random.integer(50, random.pick(MAX_STAY_MS));
  await delay(ms, undefined, { signal: calm }).catch(() => undefined);
  if (calm.aborted && !finished.aborted)
    await new Promise((resolve) => finished.addEventListener("abort", resolve, { once: true }));
}

/** One membership. */
class RawMember {
  readonly #name: string;
  readonly #place: GroupPlace;
  readonly #random: Random;
  readonly #replica: number;
  readonly #line: GroupLine;
  /** The one it settles through, which may be at another replica. */
  readonly #settling: GroupLine;
  readonly #slow: number;
  readonly #cumulative: boolean;
  /** What it was given, by lease. */
  readonly #held = new Map<string, { readonly position: bigint; readonly sequence: bigint }[]>();
  readonly #late: Promise<unknown>[] = [];

  constructor(name: string, place: GroupPlace, random: Random) {
    this.#name = name;
    this.#place = place;
    this.#random = random;
    const { replicas, token } = place;
    this.#replica = random.integer(0, replicas.count - 1);
    this.#line = replicas.connect(this.#replica, token);
    this.#settling = replicas.connect(
      random.chance(0.4) ? random.integer(0, replicas.count - 1) : this.#replica,
      token,
    );
    this.#slow = random.pick([0, 0, 5, 40]);
    this.#cumulative = random.chance(0.3);
  }

  async run(): Promise<void> {
    const { calm, finished, recorder, at } = this.#place;
    const leaving = new AbortController();
    const vanishes = this.#random.chance(0.4);
    at.set(this.#name, this.#replica);
    const staying = stays(this.#random, calm, finished).then(() => {
      // One whose replica was killed meanwhile has gone already.
      if (at.has(this.#name)) recorder.lose(new Set([this.#name]), vanishes ? "member vanished" : "member left");
      if (vanishes) this.#line.disconnect();
      else leaving.abort();
    });
    try {
      await this.#consume(leaving.signal);
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      // Any of these when a replica is killed, or one's own connection goes.
      const expected = [Code.Canceled, Code.Unavailable, Code.Aborted, Code.Internal, Code.Unknown].includes(code);
      if (!expected) throw new Error(`${this.#name}: ${rawMessage}`, { cause: error });
    } finally {
      at.delete(this.#name);
      void Promise.allSettled([...this.#late, staying]).then(() => this.#settling.disconnect());
      this.#line.disconnect();
      if (finished.aborted) await Promise.allSettled(this.#late);
    }
  }

  async #consume(signal: AbortSignal): Promise<void> {
    const { groupId, recorder } = this.#place;
    const maxInFlight = this.#random.pick([1, 5, 50]);
    const request = { consumerGroupId: groupId, memberName: this.#name, maxInFlight };
    for await (const { frame } of this.#line.groups.consume(request, { signal })) {
      if (frame.case === "assigned") {
        for (const { partition, epoch } of frame.value.partitions)
          recorder.assign({ member: this.#name, partition, epoch });
      } else if (frame.case === "deliveries") {
        for (const delivery of frame.value.deliveries) this.#receive(delivery);
        for (const delivery of frame.value.deliveries) await this.#handle(delivery);
      }
    }
  }

  #receive({ message, partition, epoch, attempt, deadline, sequence }: Delivery): void {
    const position = message?.globalPosition ?? 0n;
    const deadlineMicros = (deadline?.seconds ?? 0n) * MICROS.perSecond + BigInt(deadline?.nanos ?? 0) / MICROS.perMs;
    const decidedMicros = deadlineMicros - BigInt(this.#place.acknowledgeTimeoutMs) * MICROS.perMs;
    this.#place.recorder.deliver({ member: this.#name, partition, epoch, position, attempt, decidedMicros });
    const key = `${partition} ${epoch}`;
    this.#held.set(key, [...(this.#held.get(key) ?? []), { position, sequence }]);
  }

  async #handle(delivery: Delivery): Promise<void> {
    const random = this.#random;
    if (this.#place.calm.aborted) return this.#settle(delivery, "acknowledge");
    if (this.#slow > 0) await delay(random.integer(0, this.#slow));
    const choice = random.integer(0, 99);
    if (choice < 4) return undefined;
    const kind = choice < 10 ? "retry" : choice < 13 ? "park" : choice < 16 ? "skip" : "acknowledge";
    const settling = async (): Promise<void> => {
      // Some so late that the deadline has passed, or that the partition is another's.
      if (choice > 94) await delay(this.#place.acknowledgeTimeoutMs + random.integer(0, 500));
      await this.#settle(delivery, kind);
    };
    const done = settling();
    if (choice > 60) this.#late.push(done);
    else await done;
  }

  async #settle({ message, partition, epoch, sequence }: Delivery, kind: Settlement["kind"]): Promise<void> {
    const { recorder, groupId } = this.#place;
    const position = message?.globalPosition ?? 0n;
    const lease = { consumerGroupId: groupId, partition, epoch };
    const cumulative = kind === "acknowledge" && this.#cumulative;
    const held = this.#held.get(`${partition} ${epoch}`) ?? [];
    const upTo = held.filter((one) => one.sequence <= sequence).map((one) => one.position);
    const positions = cumulative ? [...new Set(upTo)] : [position];
    const settlement = recorder.settle({ member: this.#name, partition, epoch, kind, positions });
    try {
      const { groups } = this.#settling;
      if (kind === "acknowledge") {
        const what = cumulative ? { upToSequence: sequence } : { globalPositions: [position] };
        await groups.acknowledge({ ...lease, ...what });
        // By a sequence only what was not delivered again meanwhile.
        accept(settlement, cumulative ? [] : [position], []);
      } else {
        const action = { case: kind, value: {} } as NonNullable<RejectRequest["action"]>;
        const rejected = await groups.reject({ ...lease, globalPositions: [position], action, reason: "stormy" });
        const settled = kind === "skip" && rejected.rejectedCount > 0n ? [position] : [];
        accept(settlement, settled, rejected.parkedGlobalPositions);
      }
    } catch (error) {
      if (ConnectError.from(error).code === Code.Aborted) settlement.outcome = { kind: "refused" };
    }
  }
}

function accept(settlement: Settlement, settled: readonly bigint[], parked: readonly bigint[]): void {
  settlement.outcome = { kind: "accepted", atMicros: BigInt(Date.now()) * MICROS.perMs, settled, parked };
}
