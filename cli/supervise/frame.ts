import { writeSync } from 'node:fs';

/** The first two places of a frame: its serial, how long it is, and how many numbers it has. */
const headPlaces = 2;
const placeBytes = 8;
const headBytes = headPlaces * placeBytes;
/** Its serial and length once more. */
const tailBytes = 8;
const usualBytes = 65_536;
/** A frame whose memory is larger gives it up once it is written. */
const largestKept = 1_048_576;
/** Of longer texts it is looked up how many bytes they take, which takes longer than to write them. */
const longText = 262_144;
/** Marks are below it: a mark and the number of a job go into one number. */
const markBase = 16;

/** A mark that says what follows, and the number of the job that it is about, as one number. */
export function entryOf(mark: number, n: number): number {
  return n * markBase + mark;
}

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

  /** See {@link entryOf}. */
  entry(mark: number, n: number): void {
    this.number(entryOf(mark, n));
  }

  number(value: number): void {
    if (this.#places === this.#numbers.length) this.#makeRoom(this.#bytes.length + placeBytes);
    this.#numbers[this.#places++] = value;
  }

  /** Whole entries. */
  numbers(values: Float64Array): void {
    this.#makeRoom((this.#places + values.length) * placeBytes);
    this.#numbers.set(values, this.#places);
    this.#places += values.length;
  }

  text(text: string): void {
    this.number(text.length);
    this.#texts += text;
  }

  /** Adds texts whose lengths are numbers of this frame already, in their order. */
  texts(texts: string): void {
    this.#texts += texts;
  }

  /**
   * Writes the frame to a file, and answers how many bytes those are.
   *
   * @param serial one more than that of the frame before it.
   * @throws where they cannot be written, or not all of them.
   */
  writeTo(fd: number, position: number, serial: number): number {
    const texts = this.#texts;
    const start = this.#places * placeBytes;
    this.#makeRoom(
      start + (texts.length > longText ? Buffer.byteLength(texts) : texts.length * 3) + tailBytes,
    );
    const end = start + this.#bytes.write(texts, start) + tailBytes;
    this.#view.setUint32(0, serial);
    this.#view.setUint32(4, end);
    this.#view.setUint32(8, this.#places - headPlaces);
    this.#view.setUint32(end - 8, serial);
    this.#view.setUint32(end - 4, end);
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
    return this.textOf(this.number());
  }

  /** The next text, of a length that was read already. */
  textOf(length: number): string {
    const from = this.#textAt;
    this.#textAt += length;
    return this.#texts.slice(from, this.#textAt);
  }
}

/**
 * The frames that the bytes begin with, one serial after the other, up to the last whole one.
 *
 * @param next begins with the frame that comes after those, where it has that serial.
 */
export function* framesIn(bytes: Buffer, next: Buffer): Generator<FrameReader> {
  let serial = bytes.length < headBytes ? 0 : bytes.readUInt32BE(0);
  for (let at = 0, end = endOf(bytes, at, serial); end > at; end = endOf(bytes, at, serial)) {
    yield readerOf(bytes, at, end);
    at = end;
    serial = serialAfter(serial);
  }
  const end = endOf(next, 0, serial);
  if (end > 0) yield readerOf(next, 0, end);
}

/** The serial of the frame that comes after that of this one. */
export function serialAfter(serial: number): number {
  return (serial + 1) >>> 0;
}

/** Where the whole frame of this serial ends that begins here; 0 where there is none. */
function endOf(bytes: Buffer, at: number, serial: number): number {
  if (at + headBytes > bytes.length || bytes.readUInt32BE(at) !== serial) return 0;
  const length = bytes.readUInt32BE(at + 4);
  const end = at + length;
  if (end > bytes.length || length < headBytes + bytes.readUInt32BE(at + 8) * placeBytes + tailBytes)
    return 0;
  return bytes.readUInt32BE(end - 8) === serial && bytes.readUInt32BE(end - 4) === length ? end : 0;
}

function readerOf(bytes: Buffer, at: number, end: number): FrameReader {
  return new FrameReader(bytes.subarray(at + headBytes, end - tailBytes), bytes.readUInt32BE(at + 8));
}
