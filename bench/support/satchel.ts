import type { ServerProcess } from "../../test/support/server-process.ts";
import { callsPerSecond, GrpcLoad, messagesOf } from "./grpc-load.ts";
import { countMessages, MessageCounter } from "./message-counter.ts";
import type { Subject } from "./rounds.ts";
import { appendRequest, CATEGORIES, fillRequest, GROUP_SIZE, groupRequest, PAGE, readRequest } from "./workload.ts";

const SERVICE = "satchel.v1.StreamService";
const FILL = { callers: 8, streams: 100, perStream: 10 };

/** The seconds of each measurement, and the number of messages to read. */
export interface Extent {
  readonly seconds: number;
  readonly readCount: number;
}

/** A client that loads one server over gRPC, on one connection. */
export class Satchel implements AsyncDisposable {
  readonly #load: GrpcLoad;
  readonly #name: string;
  readonly #extent: Extent;

  static async connect(name: string, server: ServerProcess, extent: Extent): Promise<Satchel> {
    return new Satchel(await GrpcLoad.connect(server.url, await server.defaultToken()), name, extent);
  }

  private constructor(load: GrpcLoad, name: string, extent: Extent) {
    this.#load = load;
    this.#name = name;
    this.#extent = extent;
  }

  /** Appends the messages to read to 100 streams of the category `read`, ten to each stream in turn. */
  async fill(): Promise<void> {
    const request = fillRequest("read", FILL.streams, FILL.perStream);
    let left = this.#extent.readCount / (FILL.streams * FILL.perStream);
    const loop = async (): Promise<void> => {
      while (left-- > 0) await this.#load.call(`${SERVICE}/AppendToStreams`, request);
    };
    await Promise.all(Array.from({ length: FILL.callers }, loop));
  }

  append(callers: number, count: number, categories: number): Subject {
    const where = categories === 1 ? "one category" : `${categories.toLocaleString("en")} categories`;
    const requests =
      categories === 1
        ? Array.from({ length: callers }, (_, caller) => appendRequest(`bench-${caller}`, count))
        : Array.from({ length: categories }, (_, category) => appendRequest(`bench${category}-1`, count));
    return {
      name: `Satchel on ${this.#name}: AppendMessages, ${count} a call, ${callers} caller${callers === 1 ? "" : "s"}, ${where}`,
      unit: "messages/s",
      measure: async () => {
        const call = (caller: number) =>
          this.#load.call(
            `${SERVICE}/AppendMessages`,
            requests[categories === 1 ? caller : Math.floor(Math.random() * categories)] ?? new Uint8Array(),
          );
        return count * (await callsPerSecond(callers, this.#extent.seconds * 1_000, call));
      },
    };
  }

  read(): Subject {
    return {
      name: `Satchel on ${this.#name}: ReadMessages of ${this.#extent.readCount.toLocaleString("en")}`,
      unit: "messages/s",
      measure: async () => {
        const start = performance.now();
        await this.readAll();
        return (this.#extent.readCount / (performance.now() - start)) * 1_000;
      },
    };
  }

  groupPages(callers: number): Subject {
    return {
      name: `Satchel on ${this.#name}: GetCategoryMessages, a group of ${GROUP_SIZE}, ${callers} caller${callers === 1 ? "" : "s"}`,
      unit: "pages/s",
      measure: () => callsPerSecond(callers, this.#extent.seconds * 1_000, () => this.#groupPage()),
    };
  }

  /** Reads the whole category `read` in one streaming call; throws if the number of messages is wrong. */
  async readAll(): Promise<void> {
    const counter = new MessageCounter();
    await this.#load.stream(`${SERVICE}/ReadMessages`, readRequest("read"), (chunk) => counter.add(chunk));
    if (counter.messages !== this.#extent.readCount) throw new Error(`read ${counter.messages} messages`);
  }

  async #groupPage(): Promise<void> {
    const last = this.#extent.readCount - PAGE * GROUP_SIZE * 2;
    const request = groupRequest("read", 1n + BigInt(Math.floor(Math.random() * last)));
    const [page = new Uint8Array()] = messagesOf(await this.#load.call(`${SERVICE}/GetCategoryMessages`, request));
    if (countMessages(page) !== PAGE) throw new Error(`a page has ${countMessages(page)} messages`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load[Symbol.asyncDispose]();
  }
}

/** The numbers of clients that Message DB is measured with, too. */
const PEERS = [1, 8, 32];
/** The numbers of callers in the chart; the targets are measured with the last, 64. */
export const CALLERS = [...PEERS, 64];

/** All subjects of one server. */
export function satchelSubjects(satchel: Satchel): Subject[] {
  return [
    ...CALLERS.map((callers) => satchel.append(callers, 1, 1)),
    satchel.append(64, 1, CATEGORIES),
    satchel.append(8, 100, 1),
    satchel.read(),
    ...PEERS.map((callers) => satchel.groupPages(callers)),
  ];
}
