import { categoryOf } from "../../src/areas/streams/domain/stream-name.ts";

/** A message as the model has it. */
export interface ModelMessage {
  readonly id: string;
  readonly streamName: string;
  readonly type: string;
  readonly data: string;
  readonly position: number;
}

/** What one append asks of one stream; `expected` is a version, "exists" or nothing. */
export interface ModelAppend {
  readonly streamName: string;
  readonly expected: number | "exists" | undefined;
  readonly messages: readonly { readonly id: string; readonly type: string; readonly data: string }[];
}

/** What became of an append: the positions and whether they are old ones, or the reasons it was refused for. */
export type ModelOutcome =
  | { readonly kind: "appended"; readonly placed: readonly (readonly [position: number, deduplicated: boolean])[][] }
  | { readonly kind: "refused"; readonly reason: string; readonly streams: readonly string[] };

/** The rules of a namespace, in the plainest way there is. */
export class Model {
  readonly messages: ModelMessage[] = [];

  version(streamName: string): number {
    return this.ofStream(streamName).length - 1;
  }

  ofStream(streamName: string): readonly ModelMessage[] {
    return this.messages.filter((message) => message.streamName === streamName);
  }

  ofCategory(category: string): readonly ModelMessage[] {
    return this.messages.filter(({ streamName }) => categoryOf(streamName) === category);
  }

  append(appends: readonly ModelAppend[]): ModelOutcome {
    const wanted = appends.flatMap(({ streamName, messages }) => messages.map((one) => ({ ...one, streamName })));
    const same = (one: (typeof wanted)[number]) => {
      const old = this.messages.find(({ id }) => id === one.id);
      return old && old.streamName === one.streamName && old.type === one.type && old.data === one.data;
    };
    if (!wanted.every(same)) {
      const conflicts = appends.filter((append) => !this.#meets(append)).map(({ streamName }) => streamName);
      if (conflicts.length > 0) return { kind: "refused", reason: "VERSION_CONFLICT", streams: conflicts };
      if (wanted.some((one) => same(one) === false))
        return { kind: "refused", reason: "MESSAGE_ID_EXISTS", streams: [] };
    }
    return {
      kind: "appended",
      placed: appends.map((append) => append.messages.map((one) => this.#place(append.streamName, one))),
    };
  }

  #meets({ streamName, expected }: ModelAppend): boolean {
    const version = this.version(streamName);
    if (expected === undefined) return true;
    return expected === "exists" ? version >= 0 : version === expected;
  }

  #place(streamName: string, one: ModelAppend["messages"][number]): readonly [number, boolean] {
    const old = this.messages.find(({ id }) => id === one.id);
    if (old !== undefined) return [old.position, true];
    const position = this.version(streamName) + 1;
    this.messages.push({ ...one, streamName, position });
    return [position, false];
  }
}
