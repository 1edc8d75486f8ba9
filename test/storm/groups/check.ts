import type { Delivered, GroupHistory, SeenMessage, Settlement } from "./history.ts";

/** The clocks of two processes of one machine, which count milliseconds, may be read so far apart. */
const SLACK_MICROS = 10_000n;

/** Everything that is wrong with a history, shortest first. */
export function checkGroupHistory(history: GroupHistory): string[] {
  const byPosition = new Map(history.stored.map((message) => [message.globalPosition, message]));
  const deliveries = Map.groupBy(history.delivered, ({ position }) => position);
  const settlements = Map.groupBy(
    history.settlements.flatMap((settlement) => settlement.positions.map((position) => ({ position, settlement }))),
    ({ position }) => position,
  );
  const messages = history.stored.map((message): Fate => {
    const position = message.globalPosition;
    const said = (settlements.get(position) ?? []).map(({ settlement }) => settlement);
    return { message, deliveries: deliveries.get(position) ?? [], settlements: said };
  });
  return [
    ...appendProblems(history),
    ...endProblems(history),
    ...history.delivered
      .filter(({ position }) => !byPosition.has(position))
      .map(({ position }) => `${position} was delivered, but is not stored`),
    ...messages.flatMap((fate) => [
      ...lossProblems(fate, history),
      ...repetitionProblems(fate, history),
      ...attemptProblems(fate, history),
    ]),
    ...orderProblems(messages, history),
    ...fencingProblems(history),
  ].sort((a, b) => a.length - b.length);
}

/** What became of a message. */
interface Fate {
  readonly message: SeenMessage;
  readonly deliveries: readonly Delivered[];
  readonly settlements: readonly Settlement[];
}

function appendProblems({ stored, acknowledgedIds }: GroupHistory): string[] {
  const ids = new Set(stored.map(({ id }) => id));
  return acknowledgedIds.filter((id) => !ids.has(id)).map((id) => `${id} is lost, whose append was acknowledged`);
}

function endProblems({ end, settlements, listedParked }: GroupHistory): string[] {
  const left = Object.entries(end).filter(([, count]) => count !== 0n);
  const parked = settlements.flatMap(({ outcome }) => (outcome.kind === "accepted" ? outcome.parked : []));
  return [
    ...left.map(([name, count]) => `in the end ${name} is ${count}`),
    ...parked
      .filter((position) => !listedParked.has(position))
      .map((position) => `${position} was parked, and was never in the list`),
  ];
}

/** Delivered, and something was said of it; what was parked in the end was delivered again by the last replay. */
function lossProblems({ message, deliveries, settlements }: Fate, history: GroupHistory): string[] {
  const position = message.globalPosition;
  if (deliveries.length === 0) return [`${described(message)} was never delivered`];
  if (!settlements.some(({ kind }) => kind !== "retry"))
    return [`${described(message)} counts as settled, but nobody has said so`];
  const lastReplay = history.replays.at(-1);
  const comesBack = lastReplay !== undefined && history.parkedInTheEnd.has(position);
  return comesBack && !deliveries.some(({ at }) => at > lastReplay)
    ? [`${described(message)} was parked and replayed, but did not come again${lastWord(settlements)}`]
    : [];
}

/** What was said last, to find out why. */
function lastWord(settlements: readonly Settlement[]): string {
  const last = settlements.at(-1);
  return last === undefined ? "" : `; last ${last.member} said ${last.kind} under ${last.epoch}, ${last.outcome.kind}`;
}

function repetitionProblems({ message, deliveries, settlements }: Fate, history: GroupHistory): string[] {
  for (const { outcome } of settlements) {
    if (outcome.kind !== "accepted") continue;
    const settled = [...outcome.settled, ...outcome.parked].includes(message.globalPosition);
    if (!settled) continue;
    const again = deliveries.find(({ decidedMicros }) => decidedMicros > outcome.atMicros + SLACK_MICROS);
    if (again !== undefined && !mayBeReplayed(message, again, history))
      return [`${described(message)} was delivered again to ${again.member}, after it was settled`];
  }
  return [];
}

/** An attempt has one number, and a later attempt a greater one. */
function attemptProblems({ message, deliveries }: Fate, history: GroupHistory): string[] {
  const counted = deliveries.filter((delivery) => !mayBeReplayed(message, delivery, history));
  const inOrder = counted.toSorted((a, b) => a.attempt - b.attempt);
  for (const [index, delivery] of inOrder.entries()) {
    const before = inOrder[index - 1];
    if (before === undefined) continue;
    if (before.attempt === delivery.attempt)
      return [`attempt ${delivery.attempt} of ${described(message)} was made twice`];
    if (before.decidedMicros > delivery.decidedMicros + SLACK_MICROS)
      return [`attempt ${delivery.attempt} of ${described(message)} was made before attempt ${before.attempt}`];
  }
  return [];
}

/** The first delivery of a message comes when all before it in its entity are settled, or with the same member. */
function orderProblems(fates: readonly Fate[], history: GroupHistory): string[] {
  const problems: string[] = [];
  for (const entity of Map.groupBy(fates, ({ message }) => message.entity).values()) {
    for (const [index, { message, deliveries }] of entity.entries()) {
      const [first] = deliveries;
      if (first === undefined) continue;
      const open = entity.slice(0, index).filter((fate) => !maySettledBefore(fate, first, history));
      const elsewhere = open.find((fate) => !isHeldWith(fate, first));
      if (elsewhere !== undefined)
        problems.push(`${described(message)} was delivered before ${described(elsewhere.message)} was settled`);
      else if (open.length >= history.maxInFlightPerEntity)
        problems.push(`${described(message)} was delivered while ${open.length} of its entity were under way`);
    }
  }
  return problems;
}

function maySettledBefore(fate: Fate, { at }: Delivered, { maxAttempts, listedParked }: GroupHistory): boolean {
  const { message, settlements } = fate;
  // The server has parked it, or may have after a rejection: nobody knows when.
  if (listedParked.has(message.globalPosition)) return true;
  return settlements.some(({ kind, sent }) => {
    const lastAttempt = fate.deliveries.some(({ attempt }) => attempt >= maxAttempts);
    return sent < at && (kind !== "retry" || lastAttempt);
  });
}

function isHeldWith({ deliveries }: Fate, { member, partition, epoch, at }: Delivered): boolean {
  return deliveries.some(
    (one) => one.member === member && one.partition === partition && one.epoch === epoch && one.at < at,
  );
}

/** Once somebody has a partition under an epoch, nothing is accepted or delivered under an earlier one. */
function fencingProblems({ assigned, delivered, settlements }: GroupHistory): string[] {
  const problems: string[] = [];
  const known = Map.groupBy([...assigned, ...delivered], ({ partition }) => partition);
  for (const { member, partition, epoch, sent, outcome } of settlements) {
    if (outcome.kind !== "accepted") continue;
    const newer = known.get(partition)?.find((one) => one.epoch > epoch && one.at < sent);
    if (newer !== undefined)
      problems.push(`${member} settled in ${partition} under ${epoch}, when ${newer.member} had ${newer.epoch}`);
  }
  const firstDecided = new Map<string, bigint>();
  for (const { partition, epoch, decidedMicros } of delivered) {
    const key = `${partition} ${epoch}`;
    const first = firstDecided.get(key);
    if (first === undefined || decidedMicros < first) firstDecided.set(key, decidedMicros);
  }
  const epochs = Map.groupBy(
    [...firstDecided].map(([key, micros]) => ({ key: key.split(" "), micros })),
    ({ key }) => key[0],
  );
  for (const { member, partition, epoch, decidedMicros, position } of delivered) {
    const newer = epochs
      .get(String(partition))
      ?.find(({ key, micros }) => BigInt(key[1] ?? 0) > epoch && micros + SLACK_MICROS < decidedMicros);
    if (newer !== undefined)
      problems.push(`${position} was delivered to ${member} under ${epoch}, after deliveries under ${newer.key[1]}`);
  }
  return problems;
}

/** Whether it may have come because parked messages were replayed. */
function mayBeReplayed({ globalPosition }: SeenMessage, { at }: Delivered, history: GroupHistory): boolean {
  return history.listedParked.has(globalPosition) && history.replays.some((replay) => replay < at);
}

function described({ entity, globalPosition }: SeenMessage): string {
  return `${globalPosition} of ${entity}`;
}
