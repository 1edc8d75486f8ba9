import type { Moment } from "../history.ts";

/** A message of the category. */
export interface SeenMessage {
  readonly id: string;
  readonly entity: string;
  readonly globalPosition: bigint;
}

/** A member was told that it has a partition. */
export interface Assigned {
  readonly member: string;
  readonly partition: number;
  readonly epoch: bigint;
  readonly at: Moment;
}

/** A member was given a message. */
export interface Delivered extends Assigned {
  readonly position: bigint;
  readonly attempt: number;
  /** When the server has decided to deliver it, in microseconds since 1970. */
  readonly decidedMicros: bigint;
}

/** What a member has said of messages that it was given. */
export interface Settlement {
  readonly member: string;
  readonly partition: number;
  readonly epoch: bigint;
  readonly kind: "acknowledge" | "retry" | "park" | "skip";
  readonly positions: readonly bigint[];
  readonly sent: Moment;
  /** `unknown`: the answer was not heard. */
  outcome:
    | { readonly kind: "unknown" }
    | { readonly kind: "refused" }
    | {
        readonly kind: "accepted";
        /** When that was heard, in microseconds since 1970. */
        readonly atMicros: bigint;
        /** Positions of which it is certain that they were settled then. */
        readonly settled: readonly bigint[];
        /** Positions that are parked. */
        readonly parked: readonly bigint[];
      };
}

/** What GetConsumerGroup adds up to. */
export interface Totals {
  readonly lag: bigint;
  readonly inFlight: bigint;
  readonly retrying: bigint;
  readonly parked: bigint;
}

/** What happened to a group in a storm. All members, and the servers, go by the clock of one machine. */
export interface GroupHistory {
  readonly maxInFlightPerEntity: number;
  readonly maxAttempts: number;
  /** What there is in the end, in the order of global positions. */
  readonly stored: readonly SeenMessage[];
  /** Ids of messages whose appends were acknowledged. */
  readonly acknowledgedIds: readonly string[];
  readonly assigned: readonly Assigned[];
  readonly delivered: readonly Delivered[];
  readonly settlements: readonly Settlement[];
  /** Every message that was ever seen in the list of parked ones. */
  readonly listedParked: ReadonlySet<bigint>;
  /** What was in that list when everything was settled, before the last replay. */
  readonly parkedInTheEnd: ReadonlySet<bigint>;
  /** When replays of everything parked were asked for; the last of them in the end. */
  readonly replays: readonly Moment[];
  /** After the last replay. */
  readonly end: Totals;
}
