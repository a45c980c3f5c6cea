import { encodePhpJson } from '../../src/index.js';

/**
 * Reads and edits webman's packages as text: an empty object stays one and every number keeps its digits, which neither
 * JavaScript nor PHP would do that reads and writes them again.
 */

/** The start of a package as webman writes it, up to what stands behind `queue`. */
export interface Head {
  readonly id: string;
  readonly time: number;
  /** Seconds. The client's `send` with a callback writes `{}`, which is 0 here. */
  readonly delay: number;
  readonly attempts: number;
  readonly queue: string;
  /** The name of the field that follows. */
  readonly next: string;
  /** Where in the text the digits of `attempts` are, and where the field that follows begins. */
  readonly attemptsFrom: number;
  readonly attemptsTo: number;
  readonly length: number;
}

const headPattern =
  /^(\{\s*"id"\s*:\s*("(?:[^"\\]|\\.){0,200}")\s*,\s*"time"\s*:\s*(\d{1,12})\s*,\s*"delay"\s*:\s*(\d{1,12}(?:\.\d+)?|\{\}|\[\])\s*,\s*"attempts"\s*:\s*)(\d{1,9})(\s*,\s*"queue"\s*:\s*("(?:[^"\\]|\\.){0,700}")\s*,\s*)"(\w{1,40})"\s*:/;

/** The head of a text that begins as webman's packages do; undefined for any other. */
export function readHead(text: string): Head | undefined {
  const match = headPattern.exec(text.slice(0, 1500));
  if (match === null) return undefined;
  const [, before = '', id = '', time = '', delay = '', digits = '', after = '', queue = '', next = ''] =
    match;
  const attemptsTo = before.length + digits.length;
  try {
    return {
      id: JSON.parse(id),
      time: Number(time),
      delay: Number(delay) || 0,
      attempts: Number(digits),
      queue: JSON.parse(queue),
      next,
      attemptsFrom: before.length,
      attemptsTo,
      length: attemptsTo + after.length,
    };
  } catch {
    return undefined; // an escape that JSON does not know
  }
}

/** The object that a text holds; undefined where PHP would refuse it or take it for nothing. */
export function parsePackage(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && Object.keys(value).length > 0 ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The package with no attempt spent. A field that stands twice counts as it stands last, in PHP as here. */
export function unspent(text: string): string {
  const head = readHead(text);
  if (head !== undefined) return `${text.slice(0, head.attemptsFrom)}0${text.slice(head.attemptsTo)}`;
  return parsePackage(text) === undefined ? text : text.replace(/\s*\}\s*$/, ',"attempts":0}');
}

/**
 * The package with other values for some fields, in the form in which PHP writes one that failed:
 * `JSON_UNESCAPED_UNICODE | JSON_PRETTY_PRINT`. Fields that it has not yet come last, in the order given.
 *
 * @param values JSON of the new values, by field.
 * @throws SyntaxError where the text is no JSON object.
 */
export function rewritten(text: string, values: Readonly<Record<string, string>>): string {
  const fields = new Map(fieldsOf(tokensOf(text)));
  for (const [name, value] of Object.entries(values)) fields.set(name, tokensOf(value));
  const lines = [...fields].map(([name, value]) => `    ${phpText(name)}: ${pretty(value, 1)}`);
  return `{\n${lines.join(',\n')}\n}`;
}

/** A text as PHP writes it with `JSON_UNESCAPED_UNICODE`. Half a surrogate pair, which PHP cannot read, is replaced. */
export function phpText(text: string): string {
  return encodePhpJson(text.toWellFormed(), { unescapedUnicode: true });
}

/** JSON as PHP's `json_encode` writes it: in ASCII, with `/` escaped. */
export function phpAscii(json: string): string {
  return json.replace(/[^\0-\x2e\x30-\x7f]/g, (unit) =>
    unit === '/' ? '\\/' : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const token = /[ \t\r\n]*([{}[\],:]|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text))
    tokens.push(match[1] as string);
  return tokens;
}

/** The fields of an object with the tokens of their values. */
function* fieldsOf(tokens: readonly string[]): Generator<[name: string, value: string[]]> {
  if (tokens[0] !== '{') throw new SyntaxError('the package is no object');
  for (let at = 1; at < tokens.length - 1; at += 1) {
    const name = JSON.parse(tokens[at] ?? '') as string;
    const from = at + 2;
    at = from;
    for (let depth = 0; at < tokens.length; at += 1) {
      const one = tokens[at] as string;
      if (depth === 0 && (one === ',' || one === '}')) break;
      if (one === '{' || one === '[') depth += 1;
      if (one === '}' || one === ']') depth -= 1;
    }
    yield [name, tokens.slice(from, at)];
  }
}

function pretty(tokens: readonly string[], level: number): string {
  let text = '';
  let depth = level;
  const line = () => `\n${'    '.repeat(depth)}`;
  for (const [index, one] of tokens.entries()) {
    const isEmpty = tokens[index + 1] === '}' || tokens[index + 1] === ']';
    if (one === '{' || one === '[') {
      depth += 1;
      text += isEmpty ? one : one + line();
    } else if (one === '}' || one === ']') {
      depth -= 1;
      text += tokens[index - 1] === '{' || tokens[index - 1] === '[' ? one : line() + one;
    } else if (one === ',') text += `,${line()}`;
    else if (one === ':') text += ': ';
    else text += one.startsWith('"') ? phpText(JSON.parse(one)) : one;
  }
  return text;
}
