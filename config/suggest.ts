import { createRequire } from 'node:module';

/**
 * The candidate that was probably meant by a mistyped word, or undefined where none is near: at most a third
 * of the letters may be wrong, or two of a shorter word (so many as a pair in the wrong order counts), or one
 * of three. Upper and lower case count as the same.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const { closest, distance } = loadLevenshtein();
  const names = [...candidates];
  if (names.length === 0) return undefined;
  const lower = names.map((name) => name.toLowerCase());
  const near = closest(word.toLowerCase(), lower);
  const length = Math.max(near.length, word.length);
  const tolerance = length <= 3 ? 1 : Math.max(2, Math.floor(length / 3));
  return distance(word.toLowerCase(), near) <= tolerance ? names[lower.indexOf(near)] : undefined;
}

/** Only where a word is mistyped: no process that works waits for it. */
function loadLevenshtein(): typeof import('fastest-levenshtein') {
  return createRequire(import.meta.url)('fastest-levenshtein');
}
