import { type Client, type Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { StreamService } from "../../src/gen/satchel/v1/streams_pb.ts";
import { newUuid } from "../../src/kernel/uuid.ts";

/** A message whose append was acknowledged. */
interface Acknowledged {
  readonly id: string;
  readonly position: bigint;
  readonly globalPosition: bigint;
}

/** A call that failed: with which code, after how long. */
export interface Failure {
  readonly code: Code;
  readonly afterMs: number;
}

/** What writers do, and what is to be checked of it. */
export interface SteadyWritersOptions {
  readonly url: string;
  readonly token: string;
  readonly writers: number;
  readonly timeoutMs: number;
}

const RETRY_DELAY_MS = 50;

/**
 * Writers that append without pause, a stream each, two messages a call, and repeat a call that failed, with the same
 * ids, until it is acknowledged: what they are told must be there at the end, once.
 */
export class SteadyWriters {
  readonly failures: Failure[] = [];
  readonly #options: SteadyWritersOptions;
  readonly #client: Client<typeof StreamService>;
  readonly #acknowledged: Acknowledged[][];
  readonly #running: Promise<unknown>;
  #writing = true;

  constructor(options: SteadyWritersOptions) {
    this.#options = options;
    this.#client = streamsClient(options.url, options.token);
    this.#acknowledged = Array.from({ length: options.writers }, () => []);
    this.#running = Promise.all(
      this.#acknowledged.map((acknowledged, writer) => this.#write(`steady-${writer}`, acknowledged)),
    );
  }

  /** How many messages have been acknowledged so far. */
  get count(): number {
    return this.#acknowledged.reduce((sum, { length }) => sum + length, 0);
  }

  /** Lets every writer finish its call, then checks that the streams hold what was acknowledged, once and in order. */
  async finish(): Promise<void> {
    this.#writing = false;
    await this.#running;
    for (const [writer, acknowledged] of this.#acknowledged.entries()) {
      const stored: Acknowledged[] = [];
      for await (const { frame } of this.#client.readMessages({
        selector: { case: "streamName", value: `steady-${writer}` },
      })) {
        if (frame.case === "messages")
          stored.push(
            ...frame.value.messages.map(({ id, position, globalPosition }) => ({ id, position, globalPosition })),
          );
      }
      expect(stored).toEqual(acknowledged);
    }
  }

  async #write(streamName: string, acknowledged: Acknowledged[]): Promise<void> {
    while (this.#writing) {
      const messages = [newUuid(), newUuid()].map((id) => ({ id, type: "Steady", data: '{"n":1}' }));
      const appended = await this.#untilAcknowledged(streamName, messages);
      acknowledged.push(...appended.map(({ id, position, globalPosition }) => ({ id, position, globalPosition })));
    }
  }

  async #untilAcknowledged(
    streamName: string,
    messages: { id: string; type: string; data: string }[],
  ): Promise<Acknowledged[]> {
    for (;;) {
      const start = performance.now();
      try {
        return (await this.#client.appendMessages({ streamName, messages }, { timeoutMs: this.#options.timeoutMs }))
          .messages;
      } catch (error) {
        this.failures.push({ code: ConnectError.from(error).code, afterMs: performance.now() - start });
        await delay(RETRY_DELAY_MS);
      }
    }
  }
}

function streamsClient(baseUrl: string, token: string): Client<typeof StreamService> {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  return createClient(StreamService, createGrpcTransport({ baseUrl, interceptors: [authorize] }));
}
