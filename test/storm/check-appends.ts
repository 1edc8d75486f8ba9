import type { Append, History, SeenMessage } from "./history.ts";

/** What is wrong between what was appended and what is stored. */
export function checkAppends({ appends, stored }: History): string[] {
  const byId = new Map(stored.map((message) => [message.id, message]));
  const known = new Set(appends.flatMap(({ ids }) => ids));
  return [
    ...stored
      .filter(({ id, streamName }) => !known.has(id) && !streamName.startsWith("$"))
      .map(({ streamName, position }) => `${streamName}@${position} is stored, but nobody has appended it`),
    ...appends.flatMap((append) => appendProblem(append, byId) ?? []),
    ...orderProblems(stored),
  ];
}

function appendProblem({ writer, ids, outcome }: Append, byId: ReadonlyMap<string, SeenMessage>): string | undefined {
  const there = ids.filter((id) => byId.has(id)).length;
  switch (outcome.kind) {
    case "refused":
      return there > 0 ? `${writer} was refused an append, of which ${there} messages are stored` : undefined;
    case "unknown":
      return there === 0 || there === ids.length
        ? undefined
        : `of an append of ${writer} ${there} messages of ${ids.length} are stored`;
    case "acknowledged": {
      const wrong = outcome.places.find(({ id, position, globalPosition }) => {
        const message = byId.get(id);
        return message?.position !== position || (globalPosition ?? message.globalPosition) !== message.globalPosition;
      });
      if (there < ids.length) return `of an append acknowledged to ${writer} ${ids.length - there} messages are lost`;
      return wrong && `${writer} was told that ${wrong.id} is at ${wrong.position} (global ${wrong.globalPosition})`;
    }
  }
}

function orderProblems(stored: readonly SeenMessage[]): string[] {
  const problems: string[] = [];
  const next = new Map<string, bigint>();
  let last = -1n;
  for (const { streamName, position, globalPosition } of stored) {
    const expected = next.get(streamName) ?? 0n;
    if (position !== expected) problems.push(`${streamName} has ${position} where ${expected} comes next`);
    if (globalPosition <= last) problems.push(`the global position ${globalPosition} comes after ${last}`);
    next.set(streamName, position + 1n);
    last = globalPosition;
  }
  return problems;
}
