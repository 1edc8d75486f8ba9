import type { CallOptions } from "../../kernel/call-options.ts";
import type { Category } from "../streams/area.ts";
import type { GroupStreams } from "./context.ts";
import type { GroupStart } from "./domain/group-settings.ts";

/** The last global position that a group with this start leaves out; 0 when it leaves out nothing. */
export async function positionBefore(
  streams: GroupStreams,
  category: Category,
  start: GroupStart,
  options: CallOptions,
): Promise<bigint> {
  const selector = { kind: "category", category } as const;
  switch (start.kind) {
    case "beginning":
      return 0n;
    case "position":
      return before(start.position);
    case "end":
      return (await streams.head(selector, options)) ?? 0n;
    case "time": {
      // The head is read first: a message that is appended between the two reads is never left out.
      const head = (await streams.head(selector, options)) ?? 0n;
      const first = await streams.firstAt(selector, start.timeMicros, options);
      return first === undefined ? head : before(first);
    }
  }
}

/** Global positions begin at 1. */
function before(position: bigint): bigint {
  return position > 0n ? position - 1n : 0n;
}
