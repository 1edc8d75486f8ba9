import { categoryOf } from "./stream-name.ts";

/** The category of the metadata's `correlationStreamName`, when it has one that is a string; otherwise null. */
export function correlationCategoryOf(metadata: string | null): string | null {
  // Most metadata need not be parsed. A key with an escape could stand for any name.
  if (metadata === null || !(metadata.includes("correlationStreamName") || metadata.includes("\\"))) return null;
  const value: unknown = JSON.parse(metadata);
  if (typeof value !== "object" || value === null || !("correlationStreamName" in value)) return null;
  const { correlationStreamName } = value;
  return typeof correlationStreamName === "string" ? categoryOf(correlationStreamName) : null;
}
