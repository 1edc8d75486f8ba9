import type { Moment } from "../history.ts";
import type { Assigned, Delivered, GroupHistory, Settlement } from "./history.ts";

/** Why members have lost their partitions. */
export type Loss = "replica killed" | "member vanished" | "member left" | "member gone soon after a replica";

/** For how long after it was killed a replica may count as alive: others may give its members what has got free. */
const MISSED_AFTER_MS = 5_000;

/** Writes down what happens to a group, and how long partitions are without a member. */
export class GroupRecorder {
  readonly assigned: Assigned[] = [];
  readonly delivered: Delivered[] = [];
  readonly settlements: Settlement[] = [];
  readonly acknowledgedIds: string[] = [];
  readonly listedParked = new Set<bigint>();
  readonly replays: Moment[] = [];
  /** Milliseconds from a loss to the next member's. */
  readonly handOvers: { readonly loss: Loss; readonly ms: number }[] = [];
  readonly #holders = new Map<number, Assigned>();
  readonly #lost = new Map<number, { readonly loss: Loss; atMs: number }>();
  #killedMs = Number.NEGATIVE_INFINITY;
  #now: Moment = 0;

  /** How many members have had a partition. */
  get memberships(): number {
    return new Set(this.assigned.map(({ member }) => member)).size;
  }

  moment(): Moment {
    return ++this.#now;
  }

  assign(fields: Omit<Assigned, "at">): void {
    const assigned = { ...fields, at: this.moment() };
    this.assigned.push(assigned);
    const { partition, epoch } = fields;
    if (epoch <= (this.#holders.get(partition)?.epoch ?? 0n)) return;
    this.#holders.set(partition, assigned);
    const lost = this.#lost.get(partition);
    if (lost === undefined) return;
    this.#lost.delete(partition);
    const missing = lost.loss !== "replica killed" && this.#killedMs > lost.atMs - MISSED_AFTER_MS;
    const loss = missing ? "member gone soon after a replica" : lost.loss;
    this.handOvers.push({ loss, ms: performance.now() - lost.atMs });
  }

  /** Members have gone: what they hold is without one, until it is assigned to another. */
  lose(members: ReadonlySet<string>, loss: Loss): void {
    if (loss === "replica killed") this.#killed();
    for (const [partition, { member }] of this.#holders) {
      if (!members.has(member) || this.#lost.has(partition)) continue;
      this.#lost.set(partition, { loss, atMs: performance.now() });
    }
  }

  /** What was without a member may have been given to one of this replica. */
  #killed(): void {
    this.#killedMs = performance.now();
    for (const lost of this.#lost.values()) lost.atMs = this.#killedMs;
  }

  deliver(fields: Omit<Delivered, "at">): void {
    this.delivered.push({ ...fields, at: this.moment() });
  }

  /** A member is about to say something. */
  settle(fields: Omit<Settlement, "sent" | "outcome">): Settlement {
    const settlement: Settlement = { ...fields, sent: this.moment(), outcome: { kind: "unknown" } };
    this.settlements.push(settlement);
    return settlement;
  }

  history(
    rest: Pick<GroupHistory, "maxInFlightPerEntity" | "maxAttempts" | "stored" | "parkedInTheEnd" | "end">,
  ): GroupHistory {
    const { assigned, delivered, settlements, acknowledgedIds, listedParked, replays } = this;
    return { assigned, delivered, settlements, acknowledgedIds, listedParked, replays, ...rest };
  }
}
