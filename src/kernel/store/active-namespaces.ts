import type { NamespaceId } from "../namespace-id.ts";
import { statement } from "./statement.ts";
import type { Store } from "./store.ts";

const AFTER = statement(
  { id: "text" },
  "SELECT id FROM {control.namespaces} WHERE state = 'active' AND id > $1 ORDER BY id LIMIT $2",
);

/** At most `limit` namespaces that are not being deleted, after an id, by id. */
export async function activeNamespaces(
  store: Store,
  after: NamespaceId | undefined,
  limit: number,
): Promise<readonly NamespaceId[]> {
  const rows = await store.runControl(AFTER, [after ?? "", limit]);
  return rows.map(({ id }) => id as NamespaceId);
}
