/** What a service token may do; each role includes the ones before it. */
export const ROLES = ["reader", "writer", "admin"] as const;

export type Role = (typeof ROLES)[number];

/** Whether `role` may do what needs `needed`. */
export function roleIncludes(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
