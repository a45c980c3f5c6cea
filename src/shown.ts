import { inspect } from 'node:util';

/** A value as an error message shows it: on one line, at most 100 characters, whatever the value is. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  } catch {
    text = `a ${typeof value}`; // an object that cannot even be inspected
  }
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
