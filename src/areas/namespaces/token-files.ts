import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { StartError } from "../../kernel/start-error.ts";

/** The tokens that a first start makes, by the names of their files in the data directory. */
export const TOKEN_FILES = { rootToken: "root-token", defaultNamespaceToken: "default-token" } as const;

export type FirstToken = keyof typeof TOKEN_FILES;

/** Where a token is kept. */
export function tokenPath(directory: string, token: FirstToken): string {
  return join(resolve(directory), TOKEN_FILES[token]);
}

/**
 * Writes a new token to its file, for its owner alone. A file that is there already belongs to another store: it is
 * kept under another name. Throws StartError when the token cannot be kept.
 */
export function saveToken(directory: string, token: FirstToken, value: string): void {
  const path = tokenPath(directory, token);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (existsSync(path)) renameSync(path, `${path}.${new Date().toISOString().replaceAll(":", "")}`);
    writeFileSync(path, `${value}\n`, { flag: "wx", mode: 0o600, flush: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy =
      token === "rootToken" ? "choose one with SATCHEL_ROOT_TOKEN" : "make another with NamespaceService.CreateToken";
    throw new StartError(
      `cannot keep the ${TOKEN_FILES[token]} that was made for the new store: ${reason}; ${remedy}`,
      { cause: error },
    );
  }
}

/** The token in its file, or undefined: there is none. */
export function readToken(directory: string, token: FirstToken): string | undefined {
  try {
    return readFileSync(tokenPath(directory, token), "utf8").trim();
  } catch {
    return undefined;
  }
}
