import type { AppendRequest } from "../domain/append.ts";
import { payloadLength } from "../domain/payload-length.ts";
import { categoryOf } from "../domain/stream-name.ts";

/** The most that a batch holds. A single request is always a batch, however large. */
export interface BatchBounds {
  readonly maxRequests: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxCategories: number;
}

/**
 * Picks, in order, the requests that can share one transaction and be judged against the store as it was before: an append
 * with an expectation is the first of the batch for its stream, and no message id occurs twice. A request that is left out
 * comes first in a later batch, so none waits for ever.
 */
export function planBatch<T extends { readonly request: AppendRequest }>(
  queue: readonly T[],
  bounds: BatchBounds,
): T[] {
  const batch: T[] = [];
  const tally = new Tally(bounds);
  for (const item of queue) {
    const bytes = requestBytes(item.request);
    if (batch.length > 0 && !tally.admits(item.request, bytes)) continue;
    tally.add(item.request, bytes);
    batch.push(item);
    if (tally.full || batch.length >= bounds.maxRequests) break;
  }
  return batch;
}

class Tally {
  readonly #bounds: BatchBounds;
  readonly #streams = new Set<string>();
  readonly #categories = new Set<string>();
  readonly #ids = new Set<string>();
  #bytes = 0;

  constructor(bounds: BatchBounds) {
    this.#bounds = bounds;
  }

  get full(): boolean {
    return this.#ids.size >= this.#bounds.maxMessages || this.#bytes >= this.#bounds.maxBytes;
  }

  admits(request: AppendRequest, bytes: number): boolean {
    const newCategories = new Set<string>();
    let messages = this.#ids.size;
    for (const append of request.appends) {
      if (append.expectation.kind !== "any" && this.#streams.has(append.streamName)) return false;
      const category = categoryOf(append.streamName);
      if (!this.#categories.has(category)) newCategories.add(category);
      messages += append.messages.length;
      if (append.messages.some((message) => this.#ids.has(message.id))) return false;
    }
    return (
      messages <= this.#bounds.maxMessages &&
      this.#categories.size + newCategories.size <= this.#bounds.maxCategories &&
      this.#bytes + bytes <= this.#bounds.maxBytes
    );
  }

  add(request: AppendRequest, bytes: number): void {
    for (const append of request.appends) {
      this.#streams.add(append.streamName);
      this.#categories.add(categoryOf(append.streamName));
      for (const message of append.messages) this.#ids.add(message.id);
    }
    this.#bytes += bytes;
  }
}

function requestBytes(request: AppendRequest): number {
  let bytes = 0;
  for (const append of request.appends) {
    for (const message of append.messages) bytes += payloadLength(message);
  }
  return bytes;
}
