import { setTimeout as delay } from "node:timers/promises";
import { newUuid } from "../../../src/kernel/uuid.ts";
import { Random } from "../random.ts";
import { checkGroupHistory } from "./check.ts";
import type { SeenMessage, Totals } from "./history.ts";
import { type GroupPlace, takePart, takePartByRun } from "./members.ts";
import { GroupRecorder } from "./recorder.ts";
import type { GroupLine, Replicas } from "./replicas.ts";

/** What became of a storm of members. */
export interface GroupStormResult {
  readonly problems: readonly string[];
  readonly stored: number;
  readonly delivered: number;
  readonly memberships: number;
  readonly handOvers: GroupRecorder["handOvers"];
}

const CATEGORY = "order";
const GROUP_ID = "storm";
const WRITERS = 3;
const ROUNDS = 40;
const ENTITIES = 12;
const RAW_MEMBERS = 4;
const RUN_MEMBERS = 2;
const ACKNOWLEDGE_TIMEOUT_MS = 1_000;
const SETTLED_WITHIN_MS = 60_000;
/** On a busy machine a replica takes its time to start again, and on SQLite there is no other. */
const NO_ANSWER_MS = 90_000;
const LOOK_MS = 100;
/** With fewer members that had partitions, and no change of hands among them, it was no storm. */
const LEAST_MEMBERSHIPS = 8;
const EVENTFUL_WITHIN_MS = 60_000;
/** The latest settlements have arrived by then: they would settle what is replayed. */
const LATEST_MS = 2 * ACKNOWLEDGE_TIMEOUT_MS;
const PAGE = 500;

/** Writes, handles and kills at the same time; then settles everything, replays what is parked, and checks what was seen. */
export async function groupStorm(replicas: Replicas, seed: number): Promise<GroupStormResult> {
  const random = new Random(seed);
  const token = await replicas.namespace(`groups-${seed}`);
  const recorder = new GroupRecorder();
  const maxAttempts = random.pick([3, 1_000]);
  const maxInFlightPerEntity = random.pick([1, 1, 4]);
  using line = reconnecting(replicas, token);
  await line.use(({ groups }) =>
    groups.createConsumerGroup({
      consumerGroup: {
        consumerGroupId: GROUP_ID,
        category: CATEGORY,
        partitions: random.integer(3, 8),
        acknowledgeTimeout: { seconds: BigInt(ACKNOWLEDGE_TIMEOUT_MS / 1_000) },
        retryPolicy: { maxAttempts, backoff: [{ nanos: 20_000_000 }, { nanos: 100_000_000 }] },
        maxInFlightPerEntity,
      },
    }),
  );
  const calm = new AbortController();
  const finished = new AbortController();
  const place: GroupPlace = {
    replicas,
    token,
    groupId: GROUP_ID,
    acknowledgeTimeoutMs: ACKNOWLEDGE_TIMEOUT_MS,
    recorder,
    calm: calm.signal,
    finished: finished.signal,
    at: new Map(),
  };
  const members = [
    ...Array.from({ length: RAW_MEMBERS }, (_, index) => takePart(`raw ${index}`, place, random.fork())),
    ...Array.from({ length: RUN_MEMBERS }, (_, index) => takePartByRun(`run ${index}`, place, random.fork())),
  ];
  const taking = Promise.all(members);
  taking.catch(() => undefined);
  const writers = Array.from({ length: WRITERS }, () => write(place, random.fork()));
  await Promise.all([...writers, kill(place, random.fork()), replayNow(place, random.fork())]);
  await eventful(recorder);
  calm.abort();
  await settled(line);
  await delay(LATEST_MS);
  // One that was replayed before may be on its way back while the list is read.
  recorder.replays.push(recorder.moment());
  const parkedInTheEnd = await listParked(line, recorder);
  await line.use(({ groups }) => groups.replayParkedMessages({ consumerGroupId: GROUP_ID, all: true }));
  const end = await settled(line, (totals) => totals.parked === 0n);
  finished.abort();
  await taking;
  const stored = await everything(line);
  const history = recorder.history({ maxAttempts, maxInFlightPerEntity, stored, parkedInTheEnd, end });
  return {
    problems: checkGroupHistory(history),
    stored: stored.length,
    delivered: history.delivered.length,
    memberships: recorder.memberships,
    handOvers: recorder.handOvers,
  };
}

/** On a slow machine members come and go while less is written: then they go on for longer. */
async function eventful(recorder: GroupRecorder): Promise<void> {
  const until = performance.now() + EVENTFUL_WITHIN_MS;
  const isSo = (): boolean => recorder.memberships >= LEAST_MEMBERSHIPS && recorder.handOvers.length > 0;
  while (!isSo() && performance.now() < until) await delay(LOOK_MS);
}

interface Reconnecting extends Disposable {
  /** Makes a call, at another replica until one answers. */
  use<T>(call: (line: GroupLine) => Promise<T>): Promise<T>;
}

function reconnecting(replicas: Replicas, token: string): Reconnecting {
  let at = 0;
  let line = replicas.connect(at, token);
  return {
    async use(call) {
      for (const until = performance.now() + NO_ANSWER_MS; ;) {
        try {
          return await call(line);
        } catch (error) {
          if (performance.now() > until) throw error;
          line.disconnect();
          line = replicas.connect(++at % replicas.count, token);
          await delay(50);
        }
      }
    },
    [Symbol.dispose]: () => line.disconnect(),
  };
}

async function write({ replicas, token, recorder }: GroupPlace, random: Random): Promise<void> {
  using line = reconnecting(replicas, token);
  for (let round = 0; round < ROUNDS; round++) {
    const part = random.chance(0.2) ? "+part" : "";
    const streamName = `${CATEGORY}-${random.integer(1, ENTITIES)}${part}`;
    const messages = Array.from({ length: random.integer(1, 3) }, () => ({ id: newUuid(), type: "Happened" }));
    await line.use(({ streams }) => streams.appendMessages({ streamName, messages }));
    recorder.acknowledgedIds.push(...messages.map(({ id }) => id));
    await delay(random.integer(0, 150));
  }
}

/** Kills a replica or two, never two at once. */
async function kill({ replicas, recorder, at }: GroupPlace, random: Random): Promise<void> {
  for (let times = random.integer(1, 2); times > 0; times--) {
    await delay(random.integer(100, 1_500));
    const replica = random.integer(0, replicas.count - 1);
    await replicas.killAndRestart(replica, random.integer(0, 1_500), () => {
      const there = [...at].filter(([, where]) => where === replica).map(([member]) => member);
      recorder.lose(new Set(there), "replica killed");
      // The clients of `run` come back to their replica, as other members; the others are gone.
      for (const member of there) if (member.startsWith("raw")) at.delete(member);
    });
  }
}

/** Now and then, replays what is parked. */
async function replayNow({ replicas, token, recorder }: GroupPlace, random: Random): Promise<void> {
  using line = reconnecting(replicas, token);
  for (let times = random.integer(0, 2); times > 0; times--) {
    await delay(random.integer(500, 2_000));
    const listed = await listParked(line, recorder);
    if (listed.size === 0) continue;
    recorder.replays.push(recorder.moment());
    const globalPositions = [...listed];
    await line.use(({ groups }) => groups.replayParkedMessages({ consumerGroupId: GROUP_ID, globalPositions }));
  }
}

async function listParked(line: Reconnecting, recorder: GroupRecorder): Promise<Set<bigint>> {
  const request = { consumerGroupId: GROUP_ID, pageSize: 1_000 };
  const { parkedMessages } = await line.use(({ groups }) => groups.listParkedMessages(request));
  const positions = parkedMessages.map(({ globalPosition }) => globalPosition);
  for (const position of positions) recorder.listedParked.add(position);
  return new Set(positions);
}

/** Waits until everything is settled; returns what is left when that takes too long. */
async function settled(line: Reconnecting, also: (totals: Totals) => boolean = () => true): Promise<Totals> {
  const until = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const { partitions } = await line.use(({ groups }) => groups.getConsumerGroup({ consumerGroupId: GROUP_ID }));
    const sum = (name: keyof Totals): bigint => partitions.reduce((total, partition) => total + partition[name], 0n);
    const totals = { lag: sum("lag"), inFlight: sum("inFlight"), retrying: sum("retrying"), parked: sum("parked") };
    if ((totals.lag === 0n && also(totals)) || performance.now() > until) return totals;
    await delay(LOOK_MS);
  }
}

async function everything(line: Reconnecting): Promise<SeenMessage[]> {
  const messages: SeenMessage[] = [];
  for (let position = 0n, more = true; more; position = (messages.at(-1)?.globalPosition ?? 0n) + 1n) {
    const request = { category: CATEGORY, position, batchSize: PAGE };
    const page = await line.use(({ streams }) => streams.getCategoryMessages(request));
    for (const { id, streamName, globalPosition } of page.messages)
      messages.push({ id, globalPosition, entity: streamName.split("+", 1)[0] ?? "" });
    more = page.hasMore;
  }
  return messages;
}
