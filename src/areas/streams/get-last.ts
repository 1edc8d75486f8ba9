import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { StreamsContext } from "./context.ts";
import type { StoredMessage } from "./domain/message.ts";
import type { StreamName } from "./domain/stream-name.ts";
import { streamStore } from "./store/stores.ts";

/** Returns the last message of a stream, or its last one of a type. */
export function getLastMessage(
  { store }: Pick<StreamsContext, "store">,
  { namespaceId }: ServicePrincipal,
  { streamName, type }: { readonly streamName: StreamName; readonly type: string | undefined },
  options: CallOptions,
): Promise<StoredMessage | undefined> {
  return streamStore(store.engine, namespaceId).last(streamName, type, options);
}
