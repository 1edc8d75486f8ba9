import type { NamespaceId } from "../namespace-id.ts";

/**
 * Told that something has changed in these topics of a namespace, or perhaps in any; without a namespace, anywhere. A topic is
 * a category, to which messages were appended; for anything else it is a name with a "-" in it, which no category has.
 */
export type WakeUp = (namespaceId?: NamespaceId, topics?: ReadonlySet<string>) => void;
