/** A moment, in the order in which the storm has noticed things. */
export type Moment = number;

/** A message as a reader gets it. */
export interface SeenMessage {
  readonly id: string;
  readonly streamName: string;
  readonly type: string;
  readonly position: bigint;
  readonly globalPosition: bigint;
  readonly data: string;
  readonly metadata: string;
  readonly timeMicros: bigint;
}

/** Where an append has said that a message is; Message DB tells no global position. */
export interface Place {
  readonly id: string;
  readonly position: bigint;
  readonly globalPosition: bigint | undefined;
}

/** One append: `ids` all or nothing. */
export interface Append {
  readonly writer: string;
  readonly began: Moment;
  readonly ids: readonly string[];
  /** `unknown`: nobody has waited for the answer. */
  outcome:
    | { readonly kind: "acknowledged"; readonly at: Moment; readonly places: readonly Place[] }
    | { readonly kind: "refused" }
    | { readonly kind: "unknown" };
}

/** What a subscriber selects. */
export interface Selected {
  readonly of:
    | { readonly kind: "all" }
    | { readonly kind: "stream"; readonly streamName: string }
    | {
        readonly kind: "category";
        readonly category: string;
        readonly correlation?: string;
        readonly group?: { readonly member: bigint; readonly size: bigint };
      };
  /** Empty: every type. */
  readonly types: readonly string[];
}

/** Where a call begins. */
export type Start =
  | { readonly kind: "beginning" }
  | { readonly kind: "end" }
  | { readonly kind: "position"; readonly position: bigint }
  | { readonly kind: "time"; readonly timeMicros: bigint }
  | { readonly kind: "cursor"; readonly cursor: string };

/** One frame of a call. */
export interface SeenFrame {
  readonly kind: "messages" | "caughtUp" | "fellBehind" | "checkpoint" | "heartbeat";
  readonly received: Moment;
  readonly messages: readonly SeenMessage[];
  /** Of a frame without messages: everything before it has been delivered. */
  readonly position: bigint | undefined;
}

/** One call of ReadMessages. */
export interface Call {
  readonly replica: number;
  readonly follow: boolean;
  readonly opened: Moment;
  readonly start: Start;
  readonly frames: SeenFrame[];
  /** How it ended: as it was meant to, or what went wrong. */
  ended: "cut" | "done" | { readonly problem: string };
}

/** Everything a subscriber has been told, each call going on after the last frame of the one before. */
export interface Subscriber {
  readonly name: string;
  readonly selected: Selected;
  readonly calls: Call[];
}

/** What happened in a storm, and what there is in the end, in the order of global positions. */
export interface History {
  readonly appends: readonly Append[];
  readonly subscribers: readonly Subscriber[];
  readonly stored: readonly SeenMessage[];
}
