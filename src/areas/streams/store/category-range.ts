/**
 * Conditions that only the index of categories can serve. With `category = … AND global_position …`, PostgreSQL's planner
 * takes the index of global positions when it believes that a category has most of the messages. Reading a category with few
 * messages would then pass over all the others.
 */

/** Selects the messages `m` of a category from global position `least` to `most`, both included: expressions of SQL. */
export function inCategory(category: string, least: string, most: string): string {
  return `(m.category, m.global_position) >= (${category}, ${least}) AND (m.category, m.global_position) <= (${category}, ${most})`;
}

/** Orders by global position, as that index does. */
export function categoryOrder(direction: "" | " DESC" = ""): string {
  return `m.category${direction}, m.global_position${direction}`;
}
