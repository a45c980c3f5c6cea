import type { Options } from './options.js';
import { redOf, reportOf } from './report.js';
import { torture } from './torture.js';

/** What can be broken in the naive driver, and the invariants of which one at least must be red then. */
const mutants: Readonly<Record<string, readonly number[]>> = {
  'pop-then-lease': [1],
  'settle-by-id': [4],
  'release-inserts': [3],
  'delete-then-log': [1],
  'no-heartbeat': [4],
  'drops-many-due': [1],
  'counts-afterwards': [5],
  'exit-is-success': [1],
  'new-id-on-retry': [2],
  'term-drops': [1],
};

/** So many run at once. */
const atOnce = 2;

/**
 * Runs the naive driver as it is, which must be green, and with each of its mutants, which must be red.
 *
 * @throws Interrupted where the signal aborted.
 */
export async function runMutants(
  options: Options,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<boolean> {
  const left = options.mutant === undefined ? ['none', ...Object.keys(mutants)] : [options.mutant];
  let isAllFound = true;
  const runNext = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      isAllFound = (await isFound(mutant, options, signal, say)) && isAllFound;
    }
  };
  const all = await Promise.allSettled(Array.from({ length: atOnce }, runNext));
  const [first, ...more] = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  for (const one of more) say(one instanceof Error ? one.message : String(one));
  if (first) throw first;
  return isAllFound;
}

async function isFound(
  mutant: string,
  options: Options,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<boolean> {
  const expected = mutants[mutant] ?? [];
  const outcome = await torture({ ...options, driver: 'naive', mutant }, signal);
  const red = redOf(outcome);
  const found = mutant === 'none' ? red.length === 0 : expected.some((one) => red.includes(one));
  const wanted = mutant === 'none' ? 'none' : expected.join(' or ');
  say(`${found ? 'ok  ' : 'FAIL'} ${mutant.padEnd(18)} red: ${red.join(', ') || 'none'} (wanted: ${wanted})`);
  if (found && !options.keep) outcome.remove();
  if (found && options.keep) say(`ledgers: ${outcome.folder}`);
  if (!found) say(`${reportOf(outcome)}\nledgers: ${outcome.folder}`);
  return found;
}
