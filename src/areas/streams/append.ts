import type { CallOptions } from "../../kernel/call-options.ts";
import { fieldError } from "../../kernel/errors.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { StreamsContext } from "./context.ts";
import type { AppendedMessage, AppendRequest, StreamAppend } from "./domain/append.ts";
import { messageIdExists, streamDeleted, versionConflict } from "./errors.ts";

/** Appends to one stream. Throws FIELD_INVALID, STREAM_DELETED, VERSION_CONFLICT, MESSAGE_ID_EXISTS, LIMIT_EXCEEDED. */
export async function appendMessages(
  context: StreamsContext,
  caller: ServicePrincipal,
  append: StreamAppend,
  options: CallOptions,
): Promise<readonly AppendedMessage[]> {
  const [messages = []] = await appendAll(context, caller, { appends: [append] }, () => "", options);
  return messages;
}

/**
 * Appends to distinct streams, all or nothing. `pathOf` returns what the names of an append's fields begin with. Throws as
 * `appendMessages` does.
 */
export async function appendAll(
  { appends }: StreamsContext,
  caller: ServicePrincipal,
  request: AppendRequest,
  pathOf: (appendIndex: number) => string,
  options: CallOptions,
): Promise<readonly (readonly AppendedMessage[])[]> {
  refuseRepeatedIds(request, pathOf);
  const outcome = await appends.append(caller.namespaceId, request, options);
  switch (outcome.kind) {
    case "appended":
      return outcome.appends;
    case "conflict":
      throw versionConflict(outcome.conflicts);
    case "stream-deleted":
      throw streamDeleted(outcome.streamNames);
    case "id-exists": {
      const { appendIndex, messageIndex } = outcome;
      throw messageIdExists(request, appendIndex, messageIndex, `${pathOf(appendIndex)}messages[${messageIndex}]`);
    }
  }
}

function refuseRepeatedIds({ appends }: AppendRequest, pathOf: (appendIndex: number) => string): void {
  const seen = new Set<string>();
  for (const [appendIndex, { messages }] of appends.entries()) {
    for (const [messageIndex, { id }] of messages.entries()) {
      if (seen.has(id)) {
        throw fieldError(
          `${pathOf(appendIndex)}messages[${messageIndex}].id`,
          "is the id of an earlier message of this request",
        );
      }
      seen.add(id);
    }
  }
}
