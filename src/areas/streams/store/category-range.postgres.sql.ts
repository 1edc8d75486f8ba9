/**
 * Conditions that only the index of categories can serve. With `category = … AND global_position …` the planner takes the
 * index of global positions where it believes that a category has most of the messages, and then whoever reads a category
 * that has few of them walks through all the others.
 */

/** The messages `m` of a category with global positions from `least` to `most`, both included: expressions of SQL. */
export function inCategory(category: string, least: string, most: string): string {
  return `(m.category, m.global_position) >= (${category}, ${least}) AND (m.category, m.global_position) <= (${category}, ${most})`;
}

/** By global position, as that index has them. */
export function categoryOrder(direction: "" | " DESC" = ""): string {
  return `m.category${direction}, m.global_position${direction}`;
}
