import { spawn } from "node:child_process";

/** A commit, as far as the example keeps it. */
export interface Commit {
  readonly hash: string;
  readonly parents: readonly string[];
  readonly authorName: string;
  readonly authorEmail: string;
  /** When it was written, ISO 8601 with the author's offset. */
  readonly time: string;
  readonly subject: string;
  /** Compared with the first parent; a renamed file counts twice. */
  readonly filesChanged: number;
}

const FIELDS = ["%H", "%P", "%an", "%ae", "%aI", "%s"];
const MAX_SUBJECT_CHARACTERS = 1_000;

/** Whatever a user's configuration says, the same repository gives the same commits: their content decides. */
const ARGUMENTS = [
  "--no-replace-objects",
  "-c",
  "log.showSignature=false",
  "-c",
  "log.showRoot=true",
  "-c",
  "diff.ignoreSubmodules=none",
  "log",
  "--exclude=refs/stash",
  "--all",
  "--date-order",
  "--reverse",
  "--raw",
  "-z",
  "--no-renames",
  "--diff-merges=first-parent",
  "--no-color",
  "--no-ext-diff",
  "--encoding=UTF-8",
  `--format=tformat:${FIELDS.join("%x00")}`,
];

/** Every commit of a repository, on all branches and tags, oldest first and parents before children. */
export async function* readCommits(repository: string): AsyncGenerator<Commit, void, undefined> {
  const git = spawn("git", ["-C", repository, ...ARGUMENTS], { stdio: ["ignore", "pipe", "pipe"] });
  const complaints: Buffer[] = [];
  git.stderr.on("data", (chunk: Buffer) => complaints.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => git.once("error", reject).once("close", resolve));
  // Whoever awaits it below sees the failure; git may fail while a consumer is busy.
  ended.catch(() => {});
  try {
    yield* parseLog(splitAtNul(git.stdout));
    const code = await ended;
    if (code !== 0) throw new Error(`git log has failed:\n${Buffer.concat(complaints).toString().trim()}`);
  } finally {
    git.kill();
  }
}

/**
 * The log is a sequence of fields, each with a NUL after it. A commit has the `FIELDS`, then for each file what has
 * happened to it (which begins with a colon, the first time after a line feed) and its path.
 */
export async function* parseLog(fields: AsyncIterable<Buffer>): AsyncGenerator<Commit, void, undefined> {
  let header: string[] = [];
  let filesChanged = 0;
  let pathFollows = false;
  for await (const field of fields) {
    if (pathFollows) {
      pathFollows = false;
    } else if (header.length < FIELDS.length) {
      header.push(field.toString());
    } else if (isChange(field)) {
      filesChanged++;
      pathFollows = true;
    } else {
      yield commitOf(header, filesChanged);
      header = [field.toString()];
      filesChanged = 0;
    }
  }
  if (header.length === FIELDS.length) yield commitOf(header, filesChanged);
}

const NUL = 0;
const LINE_FEED = 0x0a;
const COLON = 0x3a;

function isChange(field: Buffer): boolean {
  return field[0] === COLON || (field[0] === LINE_FEED && field[1] === COLON);
}

/** The fields of a stream of bytes; one that has not ended yet is all that is kept. */
async function* splitAtNul(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NUL); end !== -1; end = chunk.indexOf(NUL, start)) {
      const rest = chunk.subarray(start, end);
      yield begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
}

function commitOf(header: readonly string[], filesChanged: number): Commit {
  const [hash = "", parents = "", authorName = "", authorEmail = "", time = "", subject = ""] = header;
  return {
    hash,
    parents: parents === "" ? [] : parents.split(" "),
    authorName,
    authorEmail,
    time,
    subject: subject.slice(0, MAX_SUBJECT_CHARACTERS).toWellFormed(),
    filesChanged,
  };
}
