import { once } from "node:events";
import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { FrameWriter } from "../../src/kernel/transport/lean/frame-writer.ts";

const KIB = 1024;

/** A stream that keeps what is written to it, and takes more only when it is told to. */
class Held extends Writable {
  readonly written: number[] = [];
  release: () => void = () => undefined;

  constructor() {
    super({ highWaterMark: 16 * KIB });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk.length);
    this.release = done;
  }
}

/** A stream that takes everything. */
function taking(): { stream: Writable; written: number[] } {
  const written: number[] = [];
  const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
    written.push(chunk.length);
    done();
  };
  return { stream: new Writable({ write }), written };
}

describe("frames", () => {
  test("that come at once go together, and not later than in the next turn of the event loop", async () => {
    const { stream, written } = taking();
    const writer = new FrameWriter(stream);
    for (let frame = 0; frame < 10; frame += 1) expect(writer.write(Buffer.alloc(10))).toBeUndefined();
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual([100]);
    void writer.write(Buffer.alloc(7));
    await turn();
    expect(written).toEqual([100, 7]);
  });

  test("that are many are sent without waiting", () => {
    const { stream, written } = taking();
    const writer = new FrameWriter(stream);
    for (let frame = 0; frame < 64; frame += 1) void writer.write(Buffer.alloc(KIB));
    expect(written).toEqual([32 * KIB, 32 * KIB]);
  });

  test("that come alone go at once, after those that wait", async () => {
    const { stream, written } = taking();
    const writer = new FrameWriter(stream);
    expect(writer.push(Buffer.alloc(5))).toBeUndefined();
    expect(written).toEqual([5]);
    void writer.write(Buffer.alloc(10));
    void writer.push(Buffer.alloc(1));
    expect(written).toEqual([5, 11]);
    await turn();
    expect(written).toEqual([5, 11]);
  });

  test("go as they are, without a copy, when they go alone", async () => {
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    });
    const shared = Buffer.from("shared");
    void new FrameWriter(stream).write(shared);
    await turn();
    expect(chunks[0]?.buffer).toBe(shared.buffer);
  });

  test("are not asked for while the reader is behind", async () => {
    const stream = new Held();
    const writer = new FrameWriter(stream);
    const room = writer.write(Buffer.alloc(40 * KIB));
    expect(room).toBeInstanceOf(Promise);
    let resolved = false;
    void room?.then(() => (resolved = true));
    await turn();
    expect([resolved, stream.written]).toEqual([false, [40 * KIB]]);
    stream.release();
    await room;
    expect(writer.write(Buffer.alloc(1))).toBeUndefined();
  });

  test("are waited for no longer than the stream lasts", async () => {
    const stream = new Held();
    const room = new FrameWriter(stream).write(Buffer.alloc(40 * KIB));
    stream.destroy();
    await room;
    expect(stream.listenerCount("drain")).toBe(0);
  });

  test("that wait are sent with the end, or dropped", async () => {
    const { stream, written } = taking();
    const ending = new FrameWriter(stream);
    void ending.write(Buffer.alloc(3));
    ending.hold(Buffer.alloc(4));
    ending.end();
    await once(stream, "finish");
    expect(written).toEqual([7]);
    const left = taking();
    const dropping = new FrameWriter(left.stream);
    void dropping.write(Buffer.alloc(3));
    dropping.drop();
    await turn();
    expect(left.written).toEqual([]);
  });
});
