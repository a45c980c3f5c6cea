import { readFileSync } from 'node:fs';

/** Data that was recorded from PHP, by the name of its file. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../interop/golden/${name}.json`, import.meta.url), 'utf8')) as T;
}
