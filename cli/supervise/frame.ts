import { writeSync } from 'node:fs';

/** Before and after what a frame holds: its generation and number, and before it also how long it is. */
const headBytes = 12;
const tailBytes = 8;
const usualBytes = 65_536;
/** A frame whose buffer is larger gives it up once it is written. */
const largestKept = 1_048_576;
/** Of longer texts it is looked up how many bytes they take, lest thrice as many are kept ready. */
const longText = 16_384;

/** A frame of a journal, put together in memory that is used again for the next. */
export class Frame {
  #bytes: Buffer = Buffer.allocUnsafeSlow(usualBytes);
  #view = viewOf(this.#bytes);
  #end = headBytes;

  get isEmpty(): boolean {
    return this.#end === headBytes;
  }

  clear(): void {
    this.#end = headBytes;
    if (this.#bytes.length > largestKept) this.#take(Buffer.allocUnsafeSlow(usualBytes));
  }

  /** A mark that says what follows, and the number of the job that it is about. */
  entry(mark: number, n: number): void {
    this.#makeRoom(5);
    this.#view.setUint8(this.#end, mark);
    this.#view.setUint32(this.#end + 1, n);
    this.#end += 5;
  }

  number(value: number): void {
    this.#makeRoom(8);
    this.#view.setFloat64(this.#end, value);
    this.#end += 8;
  }

  text(text: string): void {
    this.#makeRoom(4 + (text.length > longText ? Buffer.byteLength(text) : text.length * 3));
    const bytes = this.#bytes.write(text, this.#end + 4);
    this.#view.setUint32(this.#end, bytes);
    this.#end += 4 + bytes;
  }

  /**
   * Writes the frame to a file, and answers how many bytes those are.
   *
   * @throws where they cannot be written, or not all of them.
   */
  writeTo(fd: number, position: number, generation: number, number: number): number {
    const end = this.#end + tailBytes;
    this.#view.setUint32(0, generation);
    this.#view.setUint32(4, number);
    this.#view.setUint32(8, end);
    this.#view.setUint32(end - 8, generation);
    this.#view.setUint32(end - 4, number);
    const written = writeSync(fd, this.#bytes, 0, end, position);
    if (written < end) throw new Error(`only ${written} of ${end} bytes were written`);
    return end;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#end + bytes + tailBytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#take(larger);
  }

  #take(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

/** Reads what a frame holds, in the order in which it was put in. */
export class FrameReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  entry(): readonly [mark: number, n: number] {
    const mark = this.#bytes.readUInt8(this.#at);
    const n = this.#bytes.readUInt32BE(this.#at + 1);
    this.#at += 5;
    return [mark, n];
  }

  number(): number {
    const value = this.#bytes.readDoubleBE(this.#at);
    this.#at += 8;
    return value;
  }

  text(): string {
    const start = this.#at + 4;
    this.#at = start + this.#bytes.readUInt32BE(this.#at);
    return this.#bytes.toString('utf8', start, this.#at);
  }
}

/** The frames of the generation that the bytes begin with, up to the last whole one. */
export function* framesIn(bytes: Buffer): Generator<FrameReader> {
  const generation = bytes.length < headBytes ? 0 : bytes.readUInt32BE(0);
  for (let number = 0, at = 0; at + headBytes <= bytes.length; number++) {
    if (bytes.readUInt32BE(at) !== generation || bytes.readUInt32BE(at + 4) !== number) return;
    const end = at + bytes.readUInt32BE(at + 8);
    if (end > bytes.length || end < at + headBytes + tailBytes) return;
    if (bytes.readUInt32BE(end - 8) !== generation || bytes.readUInt32BE(end - 4) !== number) return;
    yield new FrameReader(bytes.subarray(at + headBytes, end - tailBytes));
    at = end;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
