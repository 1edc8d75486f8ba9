import { checkHistory, selectedOf } from "./check.ts";
import { Follower } from "./follower.ts";
import type { History, SeenMessage, Selected } from "./history.ts";
import { Random } from "./random.ts";
import { Recorder, seenMessage } from "./recorder.ts";
import type { Site, StormNamespace } from "./site.ts";
import { CATEGORIES, IDS, ORIGIN, TYPES, write, writeBySql } from "./writers.ts";

/** One storm. */
export interface StormOptions {
  readonly site: Site;
  readonly seed: number;
  /** Whether two of the eight writers are Message DB clients; only on PostgreSQL. */
  readonly messageDb: boolean;
}

/** What became of it. */
export interface StormResult {
  readonly problems: readonly string[];
  readonly appended: number;
  readonly delivered: number;
  readonly calls: number;
  readonly fellBehind: number;
}

const WRITERS = 8;
const MESSAGE_DB_WRITERS = 2;
const ROUNDS = 40;
const PAGE = 500;

/** Writes and follows at the same time, until all is written and all has been delivered; then checks what was seen. */
export async function storm({ site, seed, messageDb }: StormOptions): Promise<StormResult> {
  const random = new Random(seed);
  const recorder = new Recorder();
  const { replicas } = site;
  const namespace = await site.namespace(`storm-${seed}${messageDb ? "-sql" : ""}`);
  const followers = selections(random).map(
    (selected) =>
      new Follower({ name: nameOf(selected), selected, namespace, replicas, random: random.fork(), recorder }),
  );
  const following = Promise.all(followers.map((follower) => follower.run()));
  const writing = Array.from({ length: WRITERS }, (_, index) => {
    const options = { namespace, replicas, rounds: ROUNDS, random: random.fork(), recorder };
    return messageDb && index < MESSAGE_DB_WRITERS
      ? writeBySql({ ...options, name: `Message DB client ${index}` })
      : write({ ...options, name: `writer ${index}` });
  });
  await Promise.all(writing);
  const stored = await everythingIn(namespace);
  for (const follower of followers) follower.finish(selectedOf(stored, follower.selected));
  await following;
  const history = recorder.history(stored);
  return { problems: checkHistory(history), ...countsOf(history) };
}

/** Of every kind, and some twice, so that they share what the server keeps. */
function selections(random: Random): Selected[] {
  const category = (): (typeof CATEGORIES)[number] => random.pick(CATEGORIES);
  const grouped = category();
  const whole = { of: { kind: "all" }, types: [] } as const;
  const one = { of: { kind: "category", category: category() }, types: [] } as const;
  return [
    whole,
    whole,
    { of: { kind: "all" }, types: [random.pick(TYPES)] },
    one,
    one,
    { of: { kind: "category", category: category() }, types: [TYPES[0], TYPES[1]] },
    { of: { kind: "category", category: category(), correlation: ORIGIN }, types: [] },
    ...[0n, 1n, 2n].map((member): Selected => {
      return { of: { kind: "category", category: grouped, group: { member, size: 3n } }, types: [] };
    }),
    ...[1, 2, 3].map((): Selected => {
      return { of: { kind: "stream", streamName: `${category()}-${random.pick(IDS)}` }, types: [] };
    }),
    { of: { kind: "stream", streamName: `${category()}-${random.pick(IDS)}` }, types: [random.pick(TYPES)] },
  ];
}

function nameOf({ of, types }: Selected): string {
  const ofTypes = types.length === 0 ? "" : ` of the types ${types.join(", ")}`;
  switch (of.kind) {
    case "all":
      return `the follower of everything${ofTypes}`;
    case "stream":
      return `the follower of the stream ${of.streamName}${ofTypes}`;
    case "category": {
      const correlated = of.correlation === undefined ? "" : ` correlated with ${of.correlation}`;
      const member = of.group === undefined ? "" : ` as member ${of.group.member} of ${of.group.size}`;
      return `the follower of the category ${of.category}${correlated}${member}${ofTypes}`;
    }
  }
}

/** What there is, page by page of each category: not by the RPC that is being tested. */
async function everythingIn(namespace: StormNamespace): Promise<SeenMessage[]> {
  using line = namespace.connect(0);
  const messages: SeenMessage[] = [];
  for (const category of CATEGORIES) {
    let position = 0n;
    for (let more = true; more;) {
      const page = await line.streams.getCategoryMessages({ category, position, batchSize: PAGE });
      messages.push(...page.messages.map(seenMessage));
      position = (messages.at(-1)?.globalPosition ?? 0n) + 1n;
      more = page.hasMore;
    }
  }
  return messages.sort((a, b) => (a.globalPosition < b.globalPosition ? -1 : 1));
}

function countsOf({ stored, subscribers }: History): Omit<StormResult, "problems"> {
  const calls = subscribers.flatMap((subscriber) => subscriber.calls);
  const frames = calls.flatMap((call) => call.frames);
  return {
    appended: stored.length,
    delivered: frames.reduce((sum, { messages }) => sum + messages.length, 0),
    calls: calls.length,
    fellBehind: frames.filter(({ kind }) => kind === "fellBehind").length,
  };
}
