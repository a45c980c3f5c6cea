/**
 * A value of PHP. `Map` is an array (its keys are texts here), an object is a `stdClass`; whole numbers that
 * PHP holds as int are bigints when they were decoded.
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

/** PHP's `json_decode($text, true)`: undefined where PHP refuses the text. */
export function phpDecode(text: string): PhpValue | undefined {
  try {
    return new Decoder(text).decode();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** PHP's `json_encode($value)`: undefined where PHP answers false (infinity, broken UTF-16). */
export function phpEncode(value: PhpValue): string | undefined {
  try {
    return encoded(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const token =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)|(true|false|null)|$)/iy;

/** Keeps the order of keys and the digits of whole numbers, which JSON.parse does not. */
class Decoder {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  decode(): PhpValue {
    const value = this.#value(this.#next());
    if (this.#next()[0] !== '') throw new SyntaxError('more follows');
    return value;
  }

  #next(): readonly [kind: string, match: RegExpExecArray] {
    token.lastIndex = this.#at;
    const match = token.exec(this.#text);
    if (match === null) throw new SyntaxError(`at ${this.#at}`);
    this.#at = token.lastIndex;
    return [match[0].trim(), match];
  }

  #value([text, match]: readonly [string, RegExpExecArray]): PhpValue {
    const [, , quoted, number, fraction, exponent, word] = match;
    if (text === '{') return this.#object();
    if (text === '[') return this.#list();
    if (quoted !== undefined) return stringOf(quoted);
    if (number !== undefined) return fraction || exponent ? Number(number) : integerOf(number);
    if (word !== undefined) return JSON.parse(word.toLowerCase());
    throw new SyntaxError(`at ${this.#at}`);
  }

  #object(): PhpValue {
    const fields = new Map<string, PhpValue>();
    let [text, match] = this.#next();
    if (text === '}') return fields;
    for (;;) {
      if (match[2] === undefined || this.#next()[0] !== ':') throw new SyntaxError(`at ${this.#at}`);
      // A key that comes again keeps its first place and takes the last value, in PHP as in a Map.
      fields.set(stringOf(match[2]), this.#value(this.#next()));
      [text] = this.#next();
      if (text === '}') return fields;
      if (text !== ',') throw new SyntaxError(`at ${this.#at}`);
      [text, match] = this.#next();
    }
  }

  #list(): PhpValue {
    const values: PhpValue[] = [];
    let next = this.#next();
    if (next[0] === ']') return values;
    for (;;) {
      values.push(this.#value(next));
      const [text] = this.#next();
      if (text === ']') return values;
      if (text !== ',') throw new SyntaxError(`at ${this.#at}`);
      next = this.#next();
    }
  }
}

function stringOf(quoted: string): string {
  const text: string = JSON.parse(quoted);
  if (!text.isWellFormed()) throw new SyntaxError('a lone surrogate');
  return text;
}

function integerOf(digits: string): PhpValue {
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value ? value : Number(digits);
}

function encoded(value: PhpValue): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return phpNumber(value);
  if (typeof value === 'string') return phpString(value);
  if (Array.isArray(value)) return `[${value.map(encoded).join(',')}]`;
  if (!(value instanceof Map)) return objectOf(Object.entries(value));
  const isList = [...value.keys()].every((key, index) => key === String(index));
  return isList ? `[${[...value.values()].map(encoded).join(',')}]` : objectOf([...value]);
}

function objectOf(fields: readonly (readonly [string, PhpValue])[]): string {
  return `{${fields.map(([key, value]) => `${phpString(key)}:${encoded(value)}`).join(',')}}`;
}

function phpString(text: string): string {
  if (!text.isWellFormed()) throw new RangeError('no UTF-8');
  return JSON.stringify(text)
    .replaceAll('/', '\\/')
    .replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The shortest digits that read back, fixed from 1e-4 up to 1e17, else as `d.ddde±N`. */
function phpNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('Inf and NaN cannot be JSON encoded');
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
