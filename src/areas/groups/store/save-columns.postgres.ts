import type { PartitionSave } from "./group-store.ts";

/** What is to be saved, as the parallel arrays that `saveText` takes. */
export function saveColumns(saves: readonly PartitionSave[]): unknown[] {
  // In one order, so that two that save the same partitions do not wait for each other.
  const sorted = saves.toSorted((a, b) => a.partition - b.partition);
  // One of each, and in one list only: a statement can change a row but once, and parking comes last.
  const park = new Map(
    sorted.flatMap(({ partition, park }) => park.map((entry) => [entry.position, { partition, ...entry }])),
  );
  const parked = [...park.values()];
  const unparked = sorted.flatMap(({ partition, unpark }) =>
    unpark.filter((position) => !park.has(position)).map((position) => ({ partition, position })),
  );
  return [
    sorted.map(({ partition }) => partition),
    sorted.map(({ epoch }) => epoch),
    sorted.map(({ revision }) => revision),
    sorted.map(({ readTo }) => readTo),
    sorted.map(({ checkpoint }) => checkpoint),
    sorted.map(({ entries }) => entries),
    parked.map(({ partition }) => partition),
    parked.map(({ position }) => position),
    parked.map(({ attempts }) => attempts),
    parked.map(({ reason }) => reason),
    unparked.map(({ partition }) => partition),
    unparked.map(({ position }) => position),
  ];
}
