import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Commit, readCommits } from "../../examples/git-history/git-log.ts";
import { messageIdOf, streamNameOf } from "../../examples/git-history/message-of.ts";
import { streamNameProblem } from "../../src/areas/streams/domain/stream-name.ts";
import { parseUuid } from "../../src/kernel/uuid.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "../../examples/git-history/main.ts");
const AUTHORS = ["Ada <Ada+work@Example.com>", "Łukasz Żółć <łukasz@example.org>", "改善 <kai-zen@example.jp>"];
const COMMITS = 2_500;

let directory: string;
let repository: string;
let server: ServerProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "satchel-git-history-"));
  repository = join(directory, "repository");
  await run("git", ["init", "-q", "-b", "main", repository]);
  await fastImport(history());
  server = await startServer();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

test("reads every commit with what it has", async () => {
  const commits: Commit[] = [];
  for await (const commit of readCommits(repository)) commits.push(commit);
  const hashes = (await run("git", ["-C", repository, "rev-list", "--all"], { maxBuffer: 1e7 })).stdout
    .trim()
    .split("\n");
  expect(commits.map(({ hash }) => hash).toSorted()).toEqual(hashes.toSorted());
  const found = (subject: string) => commits.find((commit) => commit.subject === subject);
  expect(found("Zażółć gęślą jaźń 👋")).toMatchObject({ authorName: "Łukasz Żółć", filesChanged: 1 });
  expect(found("Merge the side")?.parents).toHaveLength(2);
  expect(found("Empty tree change")).toMatchObject({ filesChanged: 0 });
  expect(commits.filter(({ subject }) => subject === "")).toHaveLength(1);
  expect(found("Odd paths")).toMatchObject({ filesChanged: 3 });
  expect(commits.find(({ subject }) => subject.startsWith("Not UTF-8"))?.subject).toBe("Not UTF-8: \uFFFD\uFFFD");
  const known = new Set<string>();
  for (const { hash, parents } of commits) {
    expect(parents.every((parent) => known.has(parent))).toBe(true);
    known.add(hash);
  }
});

test("ids are UUIDs, and stream names are valid and readable", () => {
  const author = (authorEmail: string) => streamNameOf({ authorEmail } as Commit);
  expect(parseUuid(messageIdOf("0123456789abcdef0123456789abcdef01234567"))).toBeDefined();
  expect(messageIdOf("0123456789abcdef0123456789abcdef01234567")).toBe("01234567-89ab-8cde-b012-3456789abcde");
  expect(author("Ada+work@Example.com")).toBe("commit-ada%2Bwork@example.com");
  expect(author("")).toBe("commit-(unknown)");
  for (const email of ["", "x".repeat(400), "ż".repeat(300), "a b\n@c"]) {
    expect(streamNameProblem(author(email))).toBeUndefined();
  }
  expect(author("x".repeat(400))).not.toBe(author("x".repeat(401)));
});

test("loads a repository, and loading it again adds nothing", async () => {
  const token = await server.defaultToken();
  const load = () => run(process.execPath, [MAIN, repository, "--url", server.url, "--token", token]);
  const total = (COMMITS + 8).toLocaleString("en-US");
  const first = (await load()).stdout;
  expect(first).toContain(`${total} commits in`);
  expect(first).toContain(`${total} added, 0 were there already`);
  expect(first).toContain(`by category: ${total} messages`);
  expect(first).toContain(`by author: ${AUTHORS.length} streams`);
  expect(first).toContain(`by consumer group of 4: ${total} messages`);
  expect(first).toContain("commit-ada%2Bwork@example.com");
  const second = (await load()).stdout;
  expect(second).toContain(`0 added, ${total} were there already`);
  expect(second).toContain(`by category: ${total} messages`);
});

test("says what is wrong", async () => {
  const load = (from: string, token: string) =>
    run(process.execPath, [MAIN, from, "--url", server.url, "--token", token]);
  const stranger = load(repository, "satn_wrong");
  await expect(stranger).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("credential is not valid") });
  const nowhere = load(directory, await server.defaultToken());
  await expect(nowhere).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("not a git repository") });
});

async function fastImport(stream: Buffer): Promise<void> {
  const git = spawn("git", ["-C", repository, "fast-import", "--quiet", "--force"], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  git.stdin.end(stream);
  const [code] = (await once(git, "close")) as [number];
  expect(code).toBe(0);
}

/** Many commits by three authors, and one of everything that a log can have in it. */
function history(): Buffer {
  const parts: Buffer[] = [];
  let mark = 0;
  const commit = (
    author: number,
    message: string | Buffer,
    changes: string,
    parents: readonly number[] = [mark],
    branch = "main",
  ) => {
    const text = Buffer.from(message);
    const when = `${1_700_000_000 + mark * 60} +0530`;
    const from = parents
      .filter((parent) => parent > 0)
      .map((parent, index) => `${index === 0 ? "from" : "merge"} :${parent}\n`);
    mark++;
    parts.push(
      Buffer.from(
        `commit refs/heads/${branch}\nmark :${mark}\nauthor ${AUTHORS[author]} ${when}\ncommitter C <c@x> ${when}\ndata ${text.length}\n`,
      ),
      text,
      Buffer.from(`\n${from.join("")}${changes}\n`),
    );
    return mark;
  };
  const file = (path: string): string => `M 100644 inline ${path}\ndata <<END\n${mark}\nEND\n`;
  for (let n = 0; n < COMMITS; n++) commit(n % 10 < 8 ? 0 : (n % 2) + 1, `Change ${n}\n\nA body.`, file(`f${n % 50}`));
  const fork = commit(1, "Zażółć gęślą jaźń 👋", file("u"));
  const side = commit(2, "On the side", file("side"), [fork], "side");
  const trunk = commit(0, "Empty tree change", "", [fork]);
  commit(0, "Merge the side", file("side"), [trunk, side]);
  commit(0, "", file("e"));
  commit(1, "Odd paths", file('"a\\nb"') + file('"\\303\\274 \\001"') + file('":100644"'));
  commit(2, Buffer.concat([Buffer.from("Not UTF-8: "), Buffer.of(0xff, 0xfe)]), file("n"));
  commit(2, `Long ${"subject ".repeat(5_000)}`, file("l"));
  return Buffer.concat(parts);
}
