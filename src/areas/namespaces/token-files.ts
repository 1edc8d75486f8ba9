import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { StartError } from "../../kernel/start-error.ts";
import type { FirstTokens } from "./bootstrap.ts";

/** The names of the files of the first tokens in the data directory. */
const TOKEN_FILES = { rootToken: "root-token", defaultNamespaceToken: "default-token" } as const;

type FirstToken = keyof typeof TOKEN_FILES;

/** The path of the file that keeps a token. */
export function tokenPath(directory: string, token: FirstToken): string {
  return join(resolve(directory), TOKEN_FILES[token]);
}

/**
 * Writes new tokens to their files, readable for the owner alone. A file that exists belongs to another store: it gets
 * another name. Throws StartError when a token cannot be written.
 */
export function saveTokens(directory: string, { rootToken, defaultNamespaceToken }: FirstTokens): void {
  if (rootToken !== undefined) saveToken(directory, "rootToken", rootToken);
  if (defaultNamespaceToken !== undefined) saveToken(directory, "defaultNamespaceToken", defaultNamespaceToken);
}

function saveToken(directory: string, token: FirstToken, value: string): void {
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

/** Returns the token in its file; undefined when there is no such file. */
export function readToken(directory: string, token: FirstToken): string | undefined {
  try {
    return readFileSync(tokenPath(directory, token), "utf8").trim();
  } catch {
    return undefined;
  }
}
