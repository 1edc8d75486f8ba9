import { type ErrorFact, SatchelError } from "../../kernel/errors.ts";
import type { AppendRequest, VersionConflict } from "./domain/append.ts";
import type { StreamName } from "./domain/stream-name.ts";

/** The error for streams, at least one, that are not at the expected version. */
export function versionConflict(conflicts: readonly VersionConflict[]): SatchelError {
  const facts = conflicts.map(({ streamName, expected, actual }): ErrorFact => {
    const expectedVersion = expected.kind === "version" ? String(expected.version) : "stream_exists";
    const metadata = { stream_name: streamName, expected_version: expectedVersion, actual_version: String(actual) };
    return { reason: "VERSION_CONFLICT", metadata };
  });
  const first = facts[0]?.metadata;
  const others = facts.length > 1 ? ` (and ${facts.length - 1} more streams)` : "";
  const message = `stream ${first?.["stream_name"]} is at version ${first?.["actual_version"]}, expected ${first?.["expected_version"]}`;
  return new SatchelError("VERSION_CONFLICT", message + others, { facts });
}

/** The error for streams, at least one, that were deleted for good. */
export function streamDeleted(streamNames: readonly StreamName[]): SatchelError {
  const facts = streamNames.map((name): ErrorFact => ({ reason: "STREAM_DELETED", metadata: { stream_name: name } }));
  const others = facts.length > 1 ? ` (and ${facts.length - 1} more streams)` : "";
  return new SatchelError("STREAM_DELETED", `stream ${streamNames[0]} was deleted for good${others}`, { facts });
}

/** The error for a message whose id is taken. */
export function messageIdExists(
  { appends }: AppendRequest,
  appendIndex: number,
  messageIndex: number,
  field: string,
): SatchelError {
  const id = appends[appendIndex]?.messages[messageIndex]?.id ?? "";
  const message = `${field}: a message with the id ${id} exists, in another stream or with other content`;
  return new SatchelError("MESSAGE_ID_EXISTS", message, { metadata: { id, field } });
}
