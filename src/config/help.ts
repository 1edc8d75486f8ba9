import { VARIABLES } from "./variables.ts";

/** The table of environment variables for `--help`: name, default, meaning. */
export function configHelp(): string {
  const nameWidth = Math.max(...VARIABLES.map(({ env }) => env.length));
  const defaultWidth = Math.max(...VARIABLES.map(({ shown }) => shown.length));
  return VARIABLES.map(
    ({ env, shown, help }) => `  ${env.padEnd(nameWidth)}  ${shown.padEnd(defaultWidth)}  ${help}`,
  ).join("\n");
}
