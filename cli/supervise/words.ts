/** What a command line says to the supervisor of `queue:work`; all else is for its worker processes. */
export interface SupervisorWords {
  readonly workers: number;
  readonly json: boolean;
}

/** Words that keep `queue:work` in one process. */
const unsupervised = [
  '--help',
  '-h',
  '--version',
  '--once',
  '--once=true',
  '--supervised',
  '--report-to-parent',
];

/**
 * Reads a command line as far as a supervisor needs it, or answers undefined where this process shall read it itself.
 * It is read without loading what reads all of it, so that the worker process starts the sooner; that one complains
 * about words that do not fit.
 */
export function supervisorWords(words: readonly string[]): SupervisorWords | undefined {
  if (words[0] !== 'queue:work' && words[0] !== 'work') return undefined;
  if (words.some((word) => unsupervised.includes(word))) return undefined;
  const workers = workersOf(words);
  if (workers === 0) return undefined;
  return { workers, json: words.includes('--json') };
}

/** Whether a command line is for the supervisor of groups, as far as that is seen without reading all of it. */
export function isForGroups(words: readonly string[]): boolean {
  if (words[0] !== 'queue:supervise' && words[0] !== 'supervise') return false;
  return !words.some((word) => /^(?:--help|-h|--version|--list(?:=true)?|--plan)$/.test(word));
}

/** A number that cannot be is left to the one process that refuses it. */
function workersOf(words: readonly string[]): number {
  const at = words.findIndex((word) => word === '--workers' || word.startsWith('--workers='));
  const text = at < 0 ? '1' : (words[at]?.split('=')[1] ?? words[at + 1] ?? '');
  return /^\d{1,3}$/.test(text) ? Number(text) : 1;
}
