import { correlationCategoryOf } from "./correlation.ts";
import { memberOf } from "./group-member.ts";
import type { Selector, StoredMessage } from "./message.ts";
import { categoryOf } from "./stream-name.ts";

/** Returns a function that tells whether a selector and a list of types (empty = all) select a message. */
export function messageFilter(selector: Selector, types: readonly string[]): (message: StoredMessage) => boolean {
  const wanted = new Set(types);
  const selects = filterOf(selector);
  return (message) => (wanted.size === 0 || wanted.has(message.type)) && selects(message);
}

/** The position by which a selector is read: that of the stream, or the global one for a category and for all. */
export function positionOf(selector: Selector, message: Pick<StoredMessage, "position" | "globalPosition">): bigint {
  return selector.kind === "stream" ? message.position : message.globalPosition;
}

function filterOf(selector: Selector): (message: StoredMessage) => boolean {
  switch (selector.kind) {
    case "all":
      return () => true;
    case "stream":
      return ({ streamName }) => streamName === selector.streamName;
    case "category": {
      const { category, correlation, consumerGroup } = selector;
      return ({ streamName, metadata }) =>
        categoryOf(streamName) === category &&
        (correlation === undefined || correlationCategoryOf(metadata) === correlation) &&
        (consumerGroup === undefined || memberOf(streamName, consumerGroup.size) === consumerGroup.member);
    }
  }
}
