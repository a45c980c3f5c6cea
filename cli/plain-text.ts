// C0 (line breaks and ESC among them), DEL, C1, the bidirectional controls and the Unicode line separators:
// what can move the cursor, colour, reorder or fake lines in a terminal or a log.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/** Nearly all that is printed, and quick to see. */
const harmless = /^[\x20-\x7e]*$/;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text from a payload, a name or an error as one harmless line: control characters are shown as escapes
 * (`\n`, `\x1b`, `\u202e`).
 */
export function plain(text: string): string {
  if (harmless.test(text)) return text;
  return text.replace(unsafe, (character) => short[character] ?? escaped(character));
}

/** Text of several lines: each is made harmless, and what follows a line break is indented under the first. */
export function plainLines(text: string, indent: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => plain(line))
    .join(`\n${indent}`);
}

/** JSON on one line, with the escapes that JSON.stringify leaves out: C1, bidirectional controls and DEL. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(unsafe, unicodeEscape);
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : unicodeEscape(character);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
