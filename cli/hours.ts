import { usage } from './args.js';

/** @throws QueueError `E_USAGE` unless the text is a number of hours. */
export function hoursOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  throw usage(`--hours: '${text}' is not a number from 0 up`, 'Write --hours 24.');
}
