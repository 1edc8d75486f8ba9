import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

/** How a command ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A tarball made by `npm pack`. */
export interface PackedPackage {
  readonly path: string;
  /** The files in it, relative to the package. */
  readonly files: readonly string[];
}

const execute = promisify(execFile);
const TIMEOUT_MS = 120_000;

/** The directory of the executable `node` of each major version that the tests use. */
export const NODE_DIRECTORIES = {
  20: resolve("test/packages/node-20/node_modules/.bin"),
  22: resolve("test/packages/node-22/node_modules/.bin"),
  24: resolve("node_modules/.bin"),
} as const;

export type NodeMajor = keyof typeof NODE_DIRECTORIES;

/** Runs a command that finds this Node first; resolves with its outcome, whatever that is. */
export async function runOn(
  major: NodeMajor,
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const env = { ...withoutNpm(process.env), ...options.env, PATH: pathOn(major) };
  try {
    const { stdout, stderr } = await execute(command, args, { ...options, env, timeout: TIMEOUT_MS });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: unknown; stdout?: string; stderr?: string };
    return { code: typeof code === "number" ? code : -1, stdout, stderr: stderr === "" ? String(error) : stderr };
  }
}

/** The PATH on which this Node is found first. */
function pathOn(major: NodeMajor): string {
  return `${NODE_DIRECTORIES[major]}${delimiter}${process.env["PATH"] ?? ""}`;
}

/** Packs the package in a directory of this repository; builds it first, as publishing does. */
export async function pack(source: string, target: string): Promise<PackedPackage> {
  const { stdout } = await succeeded(
    runOn(24, "npm", ["pack", "--json", "--pack-destination", target], { cwd: source }),
  );
  const packed = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as readonly [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  const [{ filename, files }] = packed;
  return { path: join(target, filename), files: files.map(({ path }) => path).toSorted() };
}

/**
 * Installs packages into an empty project, in the versions of this repository's lock file, which npm's cache has since
 * `npm ci`. A package that does not support this Node makes it fail.
 */
export async function install(
  major: NodeMajor,
  directory: string,
  packages: readonly PackedPackage[],
  workspace = "",
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const manifest = { private: true, type: "module", overrides: lockedVersions(workspace) };
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest));
  const options = ["--prefer-offline", "--engine-strict", "--no-audit", "--no-fund"];
  const paths = packages.map(({ path }) => path);
  await succeeded(runOn(major, "npm", ["install", ...options, ...paths], { cwd: directory }));
}

/** Resolves with the outcome of a command that must succeed. */
export async function succeeded(running: Promise<Outcome>): Promise<Outcome> {
  const outcome = await running;
  if (outcome.code !== 0) throw new Error(`ended with ${outcome.code}:\n${outcome.stdout}\n${outcome.stderr}`);
  return outcome;
}

/** The version of each locked package that a workspace, or the server, uses when it runs. */
function lockedVersions(workspace: string): Record<string, string> {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    readonly packages: Readonly<Record<string, { version: string; dev?: boolean; link?: boolean }>>;
  };
  const versionsBelow = (root: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(packages)
        .map(([path, { version, dev, link }]) => [path.split(`${root}node_modules/`), version, dev ?? link] as const)
        .filter(([[before, , nested], , skipped]) => before === "" && nested === undefined && skipped !== true)
        .map(([[, name], version]) => [name, version]),
    );
  return { ...versionsBelow(""), ...(workspace === "" ? {} : versionsBelow(`${workspace}/`)) };
}

/** npm hands its own settings, such as those of a workspace, to the commands that it runs. */
function withoutNpm(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$|NODE_ENV$)/.test(name)),
  );
}
