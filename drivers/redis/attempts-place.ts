const tailForms = [
  /[,{]\s*"attempts"\s*:\s*(\d+)\s*\}\s*$/,
  /[,{]\s*"attempts"\s*:\s*(\d+)\s*,\s*"delay"\s*:\s*[\dnul]+\s*\}\s*$/,
];
const tailLength = 200;
const step = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/gs;
const value = /\s*:\s*(\d+)\s*[,}]/y;

/** Where the digits of a number stand in a text. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds the number of `attempts` in the outermost object of a JSON text, wherever it stands, as the scripts do: the
 * last one counts. Undefined where there is none from 0 up that can be patched.
 */
export function placeOfAttempts(text: string): Place | undefined {
  if (!text.startsWith('{')) return undefined;
  const place = placeInTail(text) ?? placeAnywhere(text);
  const digits = place && text.slice(place.start, place.end);
  return digits !== undefined && /^(?:0|[1-9]\d{0,8})$/.test(digits) ? place : undefined;
}

/** The text with another number at the place. */
export function patched(text: string, { start, end }: Place, count: number): string {
  return text.slice(0, start) + count + text.slice(end);
}

function placeInTail(text: string): Place | undefined {
  const tail = text.slice(-tailLength);
  for (const form of tailForms) {
    const found = form.exec(tail);
    if (found) return placeOf(text.length - tail.length + found.index, found[0], found[1] as string);
  }
  return undefined;
}

function placeAnywhere(text: string): Place | undefined {
  let last: Place | undefined;
  let depth = 0;
  step.lastIndex = 0;
  for (let token = step.exec(text); token !== null; token = step.exec(text)) {
    const [what] = token;
    if (what === '{' || what === '[') depth += 1;
    else if (what === '}' || what === ']') depth -= 1;
    else if (depth === 1 && what === '"attempts"') {
      value.lastIndex = step.lastIndex;
      const found = value.exec(text);
      if (found) last = placeOf(found.index, found[0], found[1] as string);
    }
  }
  return last;
}

function placeOf(at: number, matched: string, digits: string): Place {
  const start = at + matched.indexOf(digits, matched.indexOf(':'));
  return { start, end: start + digits.length };
}
