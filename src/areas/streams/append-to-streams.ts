import type { CallOptions } from "../../kernel/call-options.ts";
import { fieldError } from "../../kernel/errors.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { appendAll } from "./append.ts";
import type { StreamsContext } from "./context.ts";
import type { AppendedMessage, StreamAppend } from "./domain/append.ts";

/** Appends to several streams, all or nothing. Throws as `appendMessages` does. */
export async function appendToStreams(
  context: StreamsContext,
  caller: ServicePrincipal,
  appends: readonly StreamAppend[],
  options: CallOptions,
): Promise<readonly (readonly AppendedMessage[])[]> {
  refuseRepeatedStreams(appends);
  return appendAll(context, caller, { appends }, (index) => `appends[${index}].`, options);
}

function refuseRepeatedStreams(appends: readonly StreamAppend[]): void {
  const seen = new Set<string>();
  for (const [index, { streamName }] of appends.entries()) {
    if (seen.has(streamName))
      throw fieldError(`appends[${index}].stream_name`, "is in an earlier append of this request");
    seen.add(streamName);
  }
}
