import type { PartitionSave } from "./group-store.ts";

type Parked = PartitionSave["park"][number] & { readonly partition: number };

/** What saves do to the parked messages of a group: each message is in one of the lists only. */
export interface Parking {
  readonly parked: readonly Parked[];
  readonly unparked: readonly { readonly partition: number; readonly position: bigint }[];
}

/** What all saves together do to the parked messages: parking wins over taking out, and the last parking counts. */
export function parkingOf(saves: readonly PartitionSave[]): Parking {
  const parked = new Map(
    saves.flatMap(({ partition, park }) => park.map((entry) => [entry.position, { partition, ...entry }])),
  );
  const unparked = saves.flatMap(({ partition, unpark }) =>
    unpark.filter((position) => !parked.has(position)).map((position) => ({ partition, position })),
  );
  return { parked: [...parked.values()], unparked };
}
