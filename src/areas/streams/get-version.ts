import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { StreamsContext } from "./context.ts";
import type { StreamName } from "./domain/stream-name.ts";
import { streamStore } from "./store/stores.ts";

/** Returns the position of the last message of a stream; undefined when there is no stream. */
export function getVersion(
  { store }: Pick<StreamsContext, "store">,
  { namespaceId }: ServicePrincipal,
  streamName: StreamName,
  options: CallOptions,
): Promise<bigint | undefined> {
  return streamStore(store.engine, namespaceId).version(streamName, options);
}
