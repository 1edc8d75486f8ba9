import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { ConsumerGroupStore } from "./group-store.ts";
import { GroupStatements } from "./groups.ts";

/** The consumer groups of a namespace. Does not check whether the namespace exists: the first call does. */
export function groupStore(store: Store, id: NamespaceId): ConsumerGroupStore {
  return new GroupStatements(store, id);
}
