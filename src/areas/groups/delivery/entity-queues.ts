import { cardinalIdOf, payloadLength, type StoredMessage } from "../../streams/area.ts";
import type { GroupSettings } from "../domain/consumer-groups.ts";
import type { PartitionLedger } from "../domain/partition-ledger.ts";

/**
 * The unsettled messages of a partition, in order, by entity. Selects the messages to deliver next: the first one of an
 * entity, and those after it up to the group's limit for an entity.
 */
export class EntityQueues {
  readonly #messages = new Map<bigint, StoredMessage>();
  readonly #queues = new Map<string, bigint[]>();
  /** Entities that may have a deliverable message, the longest waiting first. */
  readonly #candidates = new Set<string>();
  #bytes = 0;

  /** Number of messages. */
  get size(): number {
    return this.#messages.size;
  }

  /** Sum of the messages' payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a message may be deliverable. */
  get hasCandidates(): boolean {
    return this.#candidates.size > 0;
  }

  /** The global positions of the messages, unordered. */
  get positions(): Iterable<bigint> {
    return this.#messages.keys();
  }

  has(position: bigint): boolean {
    return this.#messages.has(position);
  }

  add(message: StoredMessage): void {
    const { globalPosition } = message;
    if (this.#messages.has(globalPosition)) return;
    this.#messages.set(globalPosition, message);
    this.#bytes += payloadLength(message);
    const entity = entityOf(message);
    const queue = this.#queues.get(entity);
    if (queue === undefined) this.#queues.set(entity, [globalPosition]);
    else insert(queue, globalPosition);
    this.#candidates.add(entity);
  }

  /** Drops settled messages. The next ones of their entities may be deliverable now. */
  settle(positions: Iterable<bigint>): void {
    for (const position of positions) {
      const message = this.#messages.get(position);
      if (message !== undefined) this.#remove(position, message);
    }
  }

  /** Makes every entity a candidate, since a delay has ended, a message was taken back or settings have changed. */
  reconsider(): void {
    for (const entity of this.#queues.keys()) this.#candidates.add(entity);
  }

  /**
   * Messages to deliver now: at most `room`, and after the first one at most `maxBytes` of payload. The caller delivers all
   * of them. A delivered message is taken back in the ledger when an earlier one of its entity is not delivered.
   */
  deliverable(ledger: PartitionLedger, settings: GroupSettings, room: number, maxBytes: number): StoredMessage[] {
    const next: StoredMessage[] = [];
    let bytes = 0;
    for (const entity of this.#candidates) {
      for (const message of this.#deliverableOf(entity, ledger, settings)) {
        bytes += payloadLength(message);
        if (next.length >= room || (next.length > 0 && bytes > maxBytes)) return next;
        next.push(message);
      }
      this.#candidates.delete(entity);
    }
    return next;
  }

  #deliverableOf(entity: string, ledger: PartitionLedger, { maxInFlightPerEntity }: GroupSettings): StoredMessage[] {
    const next: StoredMessage[] = [];
    let underWay = 0;
    // An earlier message is neither settled nor delivered: no later one may be delivered.
    let blocked = false;
    for (const position of this.#queues.get(entity) ?? []) {
      const entry = ledger.entry(position);
      if (entry === undefined) continue;
      if (entry.state === "delivered") {
        if (!blocked && next.length === 0) {
          underWay++;
          continue;
        }
        ledger.recall(position);
      }
      blocked ||= entry.state === "delayed" || underWay + next.length >= maxInFlightPerEntity;
      const message = this.#messages.get(position);
      if (!blocked && message !== undefined) next.push(message);
    }
    return next;
  }

  #remove(position: bigint, message: StoredMessage): void {
    this.#messages.delete(position);
    this.#bytes -= payloadLength(message);
    const entity = entityOf(message);
    const queue = this.#queues.get(entity) ?? [];
    queue.splice(queue.indexOf(position), 1);
    if (queue.length > 0) {
      this.#candidates.add(entity);
    } else {
      this.#queues.delete(entity);
      this.#candidates.delete(entity);
    }
  }
}

function entityOf({ streamName }: StoredMessage): string {
  return cardinalIdOf(streamName) ?? "";
}

function insert(queue: bigint[], position: bigint): void {
  const last = queue.at(-1);
  if (last === undefined || last < position) queue.push(position);
  else
    queue.splice(
      queue.findIndex((other) => other > position),
      0,
      position,
    );
}
