import { writeSync } from 'node:fs';

/** The first two places of a frame: its generation and number, how long it is, and how many numbers it has. */
const headPlaces = 2;
const placeBytes = 8;
const headBytes = headPlaces * placeBytes;
/** Its generation and number once more. */
const tailBytes = 8;
const usualBytes = 65_536;
/** A frame whose memory is larger gives it up once it is written. */
const largestKept = 1_048_576;
/** Of longer texts it is looked up how many bytes they take, lest thrice as many are kept ready. */
const longText = 16_384;
/** Marks are below it: a mark and the number of a job go into one number. */
const markBase = 8;

/**
 * A frame of a journal, put together in memory that is used again for the next: numbers, in the order of this
 * machine's bytes, then all texts as one. What a text costs is mostly the call that encodes it.
 */
export class Frame {
  #numbers = new Float64Array(usualBytes / placeBytes);
  #bytes = Buffer.from(this.#numbers.buffer);
  #view = new DataView(this.#numbers.buffer);
  #places = headPlaces;
  #texts = '';

  get isEmpty(): boolean {
    return this.#places === headPlaces;
  }

  clear(): void {
    this.#places = headPlaces;
    this.#texts = '';
    if (this.#bytes.length > largestKept) this.#take(new Float64Array(usualBytes / placeBytes));
  }

  /** A mark from 1 to 7 that says what follows, and the number of the job that it is about. */
  entry(mark: number, n: number): void {
    this.number(n * markBase + mark);
  }

  number(value: number): void {
    if (this.#places === this.#numbers.length) this.#makeRoom(this.#bytes.length + placeBytes);
    this.#numbers[this.#places++] = value;
  }

  text(text: string): void {
    this.number(text.length);
    this.#texts += text;
  }

  /**
   * Writes the frame to a file, and answers how many bytes those are.
   *
   * @throws where they cannot be written, or not all of them.
   */
  writeTo(fd: number, position: number, generation: number, number: number): number {
    const texts = this.#texts;
    const start = this.#places * placeBytes;
    this.#makeRoom(
      start + (texts.length > longText ? Buffer.byteLength(texts) : texts.length * 3) + tailBytes,
    );
    const end = start + this.#bytes.write(texts, start) + tailBytes;
    this.#view.setUint32(0, generation);
    this.#view.setUint32(4, number);
    this.#view.setUint32(8, end);
    this.#view.setUint32(12, this.#places - headPlaces);
    this.#view.setUint32(end - 8, generation);
    this.#view.setUint32(end - 4, number);
    const written = writeSync(fd, this.#bytes, 0, end, position);
    if (written < end) throw new Error(`only ${written} of ${end} bytes were written`);
    return end;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = new Float64Array(Math.ceil(Math.max(bytes, this.#bytes.length * 2) / placeBytes));
    larger.set(this.#numbers.subarray(0, this.#places));
    this.#take(larger);
  }

  #take(numbers: Float64Array<ArrayBuffer>): void {
    this.#numbers = numbers;
    this.#bytes = Buffer.from(numbers.buffer);
    this.#view = new DataView(numbers.buffer);
  }
}

/** Reads what a frame holds, in the order in which it was put in. */
export class FrameReader {
  readonly #numbers: Float64Array;
  readonly #texts: string;
  #place = 0;
  #textAt = 0;

  /**
   * @param bytes what stands between the head and the tail of a frame.
   * @param count how many numbers they begin with.
   */
  constructor(bytes: Buffer, count: number) {
    const start = count * placeBytes;
    this.#numbers = new Float64Array(new Uint8Array(bytes.subarray(0, start)).buffer);
    this.#texts = bytes.toString('utf8', start);
  }

  get isAtEnd(): boolean {
    return this.#place >= this.#numbers.length;
  }

  entry(): readonly [mark: number, n: number] {
    const both = this.number();
    return [both % markBase, Math.floor(both / markBase)];
  }

  number(): number {
    const value = this.#numbers[this.#place++];
    if (value === undefined) throw new RangeError('a frame of a journal ends in the middle of an entry');
    return value;
  }

  text(): string {
    const from = this.#textAt;
    this.#textAt += this.number();
    return this.#texts.slice(from, this.#textAt);
  }
}

/** The frames of the generation that the bytes begin with, up to the last whole one. */
export function* framesIn(bytes: Buffer): Generator<FrameReader> {
  const generation = bytes.length < headBytes ? 0 : bytes.readUInt32BE(0);
  for (let number = 0, at = 0; at + headBytes <= bytes.length; number++) {
    if (bytes.readUInt32BE(at) !== generation || bytes.readUInt32BE(at + 4) !== number) return;
    const end = at + bytes.readUInt32BE(at + 8);
    const count = bytes.readUInt32BE(at + 12);
    if (end > bytes.length || end < at + headBytes + count * placeBytes + tailBytes) return;
    if (bytes.readUInt32BE(end - 8) !== generation || bytes.readUInt32BE(end - 4) !== number) return;
    yield new FrameReader(bytes.subarray(at + headBytes, end - tailBytes), count);
    at = end;
  }
}
