import { expect } from "vitest";
import type { HandlerContext, MessageHandler, StreamMessage } from "../../clients/typescript/src/index.ts";

/** One handling that has begun. */
export interface Handling {
  readonly position: number;
  readonly message: StreamMessage;
  readonly context: HandlerContext;
  readonly finish: () => void;
  readonly fail: (error: unknown) => void;
}

/** A handler whose every handling ends when a test says so. */
export class HeldHandler {
  readonly begun: Handling[] = [];

  readonly handle: MessageHandler = async (message, context) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.begun.push({ position: Number(message.globalPosition), message, context, finish: resolve, fail: reject });
    await promise;
  };

  /** The global positions of what has begun, in order. */
  get positions(): number[] {
    return this.begun.map(({ position }) => position);
  }

  /** The handling that began as the `count`th, once it has. */
  async nth(count: number): Promise<Handling> {
    await expect.poll(() => this.begun.length, { interval: 1 }).toBeGreaterThanOrEqual(count);
    return this.begun[count - 1]!;
  }
}
