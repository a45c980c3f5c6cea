/** Where a text stops being JSON. */
export interface JsonProblem {
  /** Characters before it. */
  readonly position: number;
  readonly line: number;
  readonly column: number;
}

const space = /[ \t\n\r]*/y;
const scalar =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
  /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const string = /"(?:[^"\\]|\\.)*"/y;

/**
 * Finds where a text that `JSON.parse` refused goes wrong: at the first character of the word that cannot
 * stand there. (V8's own message names no position for short texts.) Answers undefined for texts too deep or
 * too long to look through.
 */
export function findJsonProblem(text: string): JsonProblem | undefined {
  try {
    const position = new Scanner(text).firstProblem();
    const before = text.slice(0, position).split('\n');
    return { position, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  } catch (error) {
    if (error instanceof RangeError) return undefined; // the stack of calls, or of the regular expression
    throw error;
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  firstProblem(): number {
    this.#value();
    this.#skip(space);
    return this.#at;
  }

  /** Each of these answers whether to go on; where not, `#at` stands at the problem. */
  #value(): boolean {
    this.#skip(space);
    if (this.#take('{')) return this.#list('}', () => this.#pair());
    if (this.#take('[')) return this.#list(']', () => this.#value());
    return this.#skip(scalar);
  }

  #pair(): boolean {
    this.#skip(space);
    if (this.#text[this.#at] !== '"' || !this.#skip(string)) return false;
    this.#skip(space);
    return this.#take(':') && this.#value();
  }

  #list(end: string, item: () => boolean): boolean {
    this.#skip(space);
    if (this.#take(end)) return true;
    for (;;) {
      if (!item()) return false;
      this.#skip(space);
      if (this.#take(end)) return true;
      if (!this.#take(',')) return false;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return false;
    this.#at = pattern.lastIndex;
    return true;
  }
}
