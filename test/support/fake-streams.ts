import { messageFilter, positionOf } from "../../src/areas/streams/domain/message-filter.ts";
import { MAX_POSITION, type Selector, type StoredMessage } from "../../src/areas/streams/domain/message.ts";
import { categoryOf } from "../../src/areas/streams/domain/stream-name.ts";
import { Feed } from "../../src/areas/streams/feed/feed.ts";
import type { StreamStore } from "../../src/areas/streams/store/stream-store.ts";

/** When followers of a fake store are sent checkpoints. */
export const CHECKPOINT_MS = 1_000;

/** A store whose messages, and whether it answers, the test decides. */
export class FakeStreams {
  readonly messages: StoredMessage[] = [];
  away = false;
  /** Whether what was appended last is not visible yet. */
  underWay = false;
  reads = 0;

  append(streamName = "a-1", type = "T"): void {
    const globalPosition = BigInt(this.messages.length + 1);
    const position = BigInt(this.messages.filter((message) => message.streamName === streamName).length);
    const rest = { data: "{}", metadata: null, timeMicros: 0n };
    this.messages.push({ id: `m${globalPosition}`, streamName, type, position, globalPosition, ...rest });
  }

  readonly store: Pick<StreamStore, "head" | "page" | "progress" | "changedSince" | "firstAt"> = {
    head: async (selector) => {
      const last = this.#visible(selector).at(-1);
      return last && positionOf(selector, last);
    },
    progress: async () => ({ drawn: BigInt(this.messages.length), safe: this.#safe }),
    page: async ({ selector, from, until = MAX_POSITION }) => {
      this.reads++;
      if (this.away) throw new Error("away");
      const inPage = (message: StoredMessage): boolean => {
        const position = positionOf(selector, message);
        return position >= from && position <= until;
      };
      return { messages: this.#visible(selector).filter(inPage), next: undefined };
    },
    changedSince: async (after) => {
      const later = this.#visible({ kind: "all" }).filter(({ globalPosition }) => globalPosition > after);
      return new Map(later.map(({ streamName, globalPosition }) => [categoryOf(streamName), globalPosition]));
    },
    firstAt: async () => undefined,
  };

  /** A feed of this store, with a small window. */
  feed(pollIntervalMs: number, maxMessages = 10): Feed {
    const window = { maxMessages, maxBytes: 1_000 };
    return new Feed({ streams: () => this.store }, { window, pollIntervalMs, checkpointMs: CHECKPOINT_MS });
  }

  #visible(selector: Selector): StoredMessage[] {
    return this.messages.slice(0, Number(this.#safe)).filter(messageFilter(selector, []));
  }

  get #safe(): bigint {
    return BigInt(this.messages.length - (this.underWay ? 1 : 0));
  }
}
