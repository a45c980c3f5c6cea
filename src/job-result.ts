import { withoutCredentials } from './credentials.js';

/** How long the JSON of a result may be, in bytes. */
export const mostResultBytes = 4096;

/** What is kept of what a handler returned. */
export interface KeptResult {
  readonly result: string | null;
  readonly note: string | null;
}

class TooLong extends Error {}

/**
 * What a handler returned as JSON, without the credentials of URLs; null with a note where it is longer than is kept
 * or JSON cannot hold it. Cannot throw, whatever getters do, and looks at no more of a large value than it could keep.
 */
export function keptResult(value: unknown): KeptResult {
  let seen = 0;
  const bounded = (_key: string, item: unknown): unknown => {
    seen += typeof item === 'string' ? item.length + 1 : 1;
    if (seen > mostResultBytes) throw new TooLong();
    return typeof item === 'string' ? withoutCredentials(item) : item;
  };
  try {
    const json = JSON.stringify(value, bounded) as string | undefined;
    if (json === undefined) {
      return { result: null, note: value === undefined ? null : `JSON cannot hold a ${typeof value}` };
    }
    if (Buffer.byteLength(json) > mostResultBytes) throw new TooLong();
    return { result: json, note: null };
  } catch (error) {
    const note =
      error instanceof TooLong
        ? `longer than the ${mostResultBytes} bytes that are kept`
        : 'JSON cannot hold it';
    return { result: null, note };
  }
}
