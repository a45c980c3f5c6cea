import { QueueError } from './errors.js';

/**
 * A value of PHP. A `Map` is an array with keys, which are texts here; an object is a `stdClass`; whole numbers that
 * PHP holds as int are bigints where they were decoded.
 */
export type PhpValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | readonly PhpValue[]
  | ReadonlyMap<string, PhpValue>
  | { readonly [key: string]: PhpValue };

/** The flags of `json_encode` that queues use. */
export interface PhpJsonOptions {
  /** `JSON_UNESCAPED_UNICODE`: raw UTF-8, but for U+2028 and U+2029. Default false: ASCII. */
  readonly unescapedUnicode?: boolean;
  /** `JSON_PRETTY_PRINT`: four spaces, `"key": value`, `[]` where nothing is. Default false. */
  readonly pretty?: boolean;
}

/** How many arrays PHP writes, and reads, inside each other. */
const deepestWritten = 512;
const deepestRead = 511;

/**
 * PHP's `json_decode($text, true)`. Keeps what `JSON.parse` does not: the order of keys and the digits of whole numbers.
 *
 * @throws QueueError `E_PAYLOAD_INVALID` where PHP answers null with an error.
 */
export function decodePhpJson(text: string): PhpValue {
  return new Decoder(text).decode();
}

/**
 * PHP's `json_encode($value)`, byte for byte (`serialize_precision=-1`, the default).
 *
 * @throws QueueError `E_PAYLOAD_INVALID` where PHP answers false: for infinity, NaN and halves of surrogate pairs.
 */
export function encodePhpJson(value: PhpValue, options: PhpJsonOptions = {}): string {
  return encoded(value, options, '\n', 1);
}

/**
 * What becomes of a JSON text that PHP reads and writes again: `json_encode(json_decode($text, true))`. `{}` becomes
 * `[]`, `{"0":1}` a list, `1.0` becomes `1`, of two equal keys the last value stays.
 *
 * @throws QueueError `E_PAYLOAD_INVALID` for a text that PHP takes for no JSON.
 */
export function recodePhpJson(text: string, options: PhpJsonOptions = {}): string {
  return encodePhpJson(decodePhpJson(text), options);
}

const token =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)|(true|false|null)|$)/iy;

type Token = readonly [kind: string, match: RegExpExecArray];

class Decoder {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  decode(): PhpValue {
    const value = this.#value(this.#next(), 1);
    if (this.#next()[0] !== '') throw this.#refused();
    return value;
  }

  #next(): Token {
    token.lastIndex = this.#at;
    const match = token.exec(this.#text);
    if (match === null) throw this.#refused();
    this.#at = token.lastIndex;
    return [match[0].trim(), match];
  }

  #value([text, match]: Token, depth: number): PhpValue {
    const [, , quoted, number, fraction, exponent, word] = match;
    if (text === '{' || text === '[') {
      if (depth > deepestRead) throw invalid('nested deeper than PHP goes');
      return text === '{' ? this.#object(depth) : this.#list(depth);
    }
    if (quoted !== undefined) return stringOf(quoted);
    if (number !== undefined) return fraction || exponent ? Number(number) : integerOf(number);
    if (word !== undefined) return JSON.parse(word.toLowerCase());
    throw this.#refused();
  }

  #object(depth: number): PhpValue {
    const fields = new Map<string, PhpValue>();
    let [text, match] = this.#next();
    if (text === '}') return fields;
    for (;;) {
      if (match[2] === undefined || this.#next()[0] !== ':') throw this.#refused();
      // A key that comes again keeps its first place and takes the last value, in PHP as in a Map.
      fields.set(stringOf(match[2]), this.#value(this.#next(), depth + 1));
      [text] = this.#next();
      if (text === '}') return fields;
      if (text !== ',') throw this.#refused();
      [text, match] = this.#next();
    }
  }

  #list(depth: number): PhpValue {
    const values: PhpValue[] = [];
    let next = this.#next();
    if (next[0] === ']') return values;
    for (;;) {
      values.push(this.#value(next, depth + 1));
      const [text] = this.#next();
      if (text === ']') return values;
      if (text !== ',') throw this.#refused();
      next = this.#next();
    }
  }

  #refused(): QueueError {
    return invalid(`not JSON to PHP, at character ${this.#at}`);
  }
}

function stringOf(quoted: string): string {
  const text: string = JSON.parse(quoted);
  if (!text.isWellFormed()) throw invalid('half of a surrogate pair');
  return text;
}

function integerOf(digits: string): PhpValue {
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value ? value : Number(digits);
}

/** @param line what begins a line of the value that this one stands in. */
function encoded(value: PhpValue, options: PhpJsonOptions, line: string, depth: number): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return stringText(value, options);
  if (depth > deepestWritten) throw invalid('nested deeper than PHP goes');
  const inner = `${line}    `;
  const item = (one: PhpValue): string => encoded(one, options, inner, depth + 1);
  const colon = options.pretty ? ': ' : ':';
  const field = ([key, one]: readonly [string, PhpValue]): string =>
    `${stringText(key, options)}${colon}${item(one)}`;
  const wrap = (open: string, parts: readonly string[], close: string): string =>
    options.pretty && parts.length > 0
      ? `${open}${inner}${parts.join(`,${inner}`)}${line}${close}`
      : open + parts.join(',') + close;

  if (Array.isArray(value)) return wrap('[', value.map(item), ']');
  if (!(value instanceof Map)) {
    const fields = Object.entries(value).filter(([, one]) => one !== undefined);
    return wrap('{', fields.map(field), '}');
  }
  const isList = [...value.keys()].every((key, index) => key === String(index));
  return isList ? wrap('[', [...value.values()].map(item), ']') : wrap('{', [...value].map(field), '}');
}

function stringText(text: string, { unescapedUnicode = false }: PhpJsonOptions): string {
  if (!text.isWellFormed()) throw invalid('half of a surrogate pair');
  const escaped = unescapedUnicode ? /[\u2028\u2029]/g : /[^\0-\x7f]/g;
  return JSON.stringify(text)
    .replaceAll('/', '\\/')
    .replace(escaped, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The shortest digits that read back, fixed from 1e-4 up to 1e17, else as `d.ddde±N`. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw invalid(`${value}, which JSON cannot hold`);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [, sign = '', first = '', rest = '', exponent = ''] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential()) ?? [];
  const power = Number(exponent);
  if (power < -4 || power >= 17) return `${sign}${first}.${rest || '0'}e${exponent}`;
  const digits = first + rest;
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0');
  return sign + (digits.length > power + 1 ? `${whole}.${digits.slice(power + 1)}` : whole);
}

function invalid(what: string): QueueError {
  return new QueueError('E_PAYLOAD_INVALID', `the value is ${what}`);
}
