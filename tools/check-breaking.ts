/** Fails when the .proto files break what clients were built with: those of the last release, else of main before. */
import { execFileSync } from "node:child_process";

const base = [lastTag, whereMainWasLeft, lastCommit, commitBefore].map((find) => find()).find(hasProtos);
if (base === undefined) console.log("No earlier commit has .proto files: nothing to compare with.");
else compareWith(base);

function compareWith(commit: string): void {
  console.log(`Comparing proto/ with ${commit}.`);
  try {
    execFileSync("buf", ["breaking", "proto", "--against", `.git#ref=${commit},subdir=proto`], { stdio: "inherit" });
  } catch {
    process.exitCode = 1;
  }
}

/** The last tag before this commit: a release must not be compared with itself. */
function lastTag(): string | undefined {
  const tag = git("describe", "--tags", "--abbrev=0", "HEAD~1");
  return tag && git("rev-parse", `${tag}^{commit}`);
}

/** On a branch: the commit of main that it began from, or took in last. */
function whereMainWasLeft(): string | undefined {
  const commit = git("merge-base", "HEAD", "main") ?? git("merge-base", "HEAD", "origin/main");
  return commit === git("rev-parse", "HEAD") ? undefined : commit;
}

/** While .proto files have changes that are not committed. */
function lastCommit(): string | undefined {
  return git("status", "--porcelain", "--", "proto") === "" ? undefined : git("rev-parse", "HEAD");
}

function commitBefore(): string | undefined {
  return git("rev-parse", "--verify", "HEAD~1");
}

function hasProtos(commit: string | undefined): commit is string {
  return commit !== undefined && git("ls-tree", "-r", "--name-only", commit, "proto") !== "";
}

/** What git answers; undefined when it fails. */
function git(...args: readonly string[]): string | undefined {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}
