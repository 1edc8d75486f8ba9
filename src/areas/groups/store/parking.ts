import type { PartitionSave } from "./group-store.ts";

type Parked = PartitionSave["park"][number] & { readonly partition: number };

/** The changes of a group's parked messages: each message is in only one of the lists. */
export interface Parking {
  readonly parked: readonly Parked[];
  readonly unparked: readonly { readonly partition: number; readonly position: bigint }[];
}

/** Combines the changes of several saves: parking wins over removal, and the last parking counts. */
export function parkingOf(saves: readonly PartitionSave[]): Parking {
  const parked = new Map(
    saves.flatMap(({ partition, park }) => park.map((entry) => [entry.position, { partition, ...entry }])),
  );
  const unparked = saves.flatMap(({ partition, unpark }) =>
    unpark.filter((position) => !parked.has(position)).map((position) => ({ partition, position })),
  );
  return { parked: [...parked.values()], unparked };
}
