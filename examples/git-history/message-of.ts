import { createHash } from "node:crypto";
import type { NewMessage } from "../../clients/typescript/src/index.ts";
import type { Commit } from "./git-log.ts";

/** Every commit is a message of this category, in the stream of its author. */
export const CATEGORY = "commit";

const MAX_ID_BYTES = 200;
const HASH_DIGITS = 16;

/** The author's stream: `commit-ada@example.com`. */
export function streamNameOf({ authorEmail }: Commit): string {
  const id = encodeURIComponent(authorEmail.toLowerCase()).replaceAll("%40", "@");
  if (id === "") return `${CATEGORY}-(unknown)`;
  // Encoded, so a character is a byte.
  if (id.length <= MAX_ID_BYTES) return `${CATEGORY}-${id}`;
  return `${CATEGORY}-${id.slice(0, MAX_ID_BYTES)}~${createHash("sha256").update(id).digest("hex").slice(0, HASH_DIGITS)}`;
}

/** The message of a commit. Its id is made of the commit's hash: to append it again changes nothing. */
export function messageOf(commit: Commit): NewMessage {
  const { hash, subject, authorName, authorEmail, time, parents, filesChanged } = commit;
  const author = { name: authorName, email: authorEmail };
  return {
    id: messageIdOf(hash),
    type: parents.length > 1 ? "Merged" : "Committed",
    data: { hash, subject, author, time, parents, filesChanged },
  };
}

/** The first 122 bits of the hash as a UUID version 8, which RFC 9562 leaves to the application. */
export function messageIdOf(hash: string): string {
  const variant = (0x8 | (Number.parseInt(hash.slice(15, 16), 16) & 0x3)).toString(16);
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(12, 15)}`, `${variant}${hash.slice(16, 19)}`];
  return `${parts.join("-")}-${hash.slice(19, 31)}`;
}
