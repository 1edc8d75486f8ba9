import { hash64 } from "./hash64.ts";
import { cardinalIdOf } from "./stream-name.ts";

/** One member of a consumer group of fixed size, as Message DB has them. */
export interface ConsumerGroupMember {
  readonly member: bigint;
  readonly size: bigint;
}

/** The greatest size of a group: Message DB casts it to smallint. */
export const MAX_CONSUMER_GROUP_SIZE = 32_767n;

/** Why these numbers are not a member of a group, or undefined when they are. */
export function consumerGroupProblem({ member, size }: ConsumerGroupMember): string | undefined {
  if (size < 1n || size > MAX_CONSUMER_GROUP_SIZE) return `size must be 1 to ${MAX_CONSUMER_GROUP_SIZE}, is ${size}`;
  if (member < 0n || member >= size) return `member must be 0 to ${size - 1n}, is ${member}`;
  return undefined;
}

/** The hash that decides to which member a stream belongs. Null for a name without an id: it belongs to no member. */
export function cardinalHashOf(streamName: string): bigint | null {
  const cardinalId = cardinalIdOf(streamName);
  return cardinalId === undefined ? null : hash64(cardinalId);
}

/** The member that a stream belongs to in a group of `size`; undefined for a name without an id. */
export function memberOf(streamName: string, size: bigint): bigint | undefined {
  const hash = cardinalHashOf(streamName);
  if (hash === null) return undefined;
  const remainder = hash % size;
  return remainder < 0n ? -remainder : remainder;
}
