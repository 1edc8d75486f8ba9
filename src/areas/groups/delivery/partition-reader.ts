import { SatchelError } from "../../../kernel/errors.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { type Feed, followFrames, type ReadRequest, type ReadSource, type StoredMessage } from "../../streams/area.ts";
import type { ConsumerGroup, PartitionLease } from "../domain/consumer-groups.ts";

/** Where the reader gets messages. */
export interface ReaderContext {
  readonly namespaceId: NamespaceId;
  readonly streams: ReadSource;
  readonly feed: Pick<Feed, "follow">;
  /** Called with unexpected errors. */
  readonly report: (error: unknown) => void;
}

/** The receiver of the messages. */
export interface Reader {
  readonly take: (messages: readonly StoredMessage[]) => void;
  /** There is no further message up to this global position. */
  readonly pass: (position: bigint) => void;
  /** Resolves when there is room for more messages, or reading is to end. */
  readonly room: () => Promise<void>;
}

/** The delay before a failed read is repeated. */
const RETRY_MS = 500;

/** Reads the messages of a partition from a global position on, live, until the signal fires. Repeats failed reads. */
export async function readPartition(
  { namespaceId, streams, feed, report }: ReaderContext,
  group: ConsumerGroup,
  { partition }: PartitionLease,
  from: bigint,
  signal: AbortSignal,
  { take, pass, room }: Reader,
): Promise<void> {
  let at = from;
  while (!signal.aborted) {
    try {
      const context = { feed, store: streams, namespaceId, signal };
      for await (const frame of followFrames(context, requestFrom(at, group, partition))) {
        if (frame.kind === "messages") {
          take(frame.messages);
          at = frame.messages.at(-1)!.globalPosition + 1n;
        } else {
          pass(frame.position - 1n);
          at = frame.position;
        }
        await room();
        if (signal.aborted) return;
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof SatchelError)) report(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
    }
  }
}

function requestFrom(position: bigint, { category, partitions, types }: ConsumerGroup, partition: number): ReadRequest {
  const consumerGroup = { member: BigInt(partition), size: BigInt(partitions) };
  return {
    selector: { kind: "category", category, consumerGroup },
    start: { kind: "position", position },
    follow: true,
    types,
    limit: undefined,
  };
}
