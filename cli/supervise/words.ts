import { parseArgs } from 'node:util';
import { commonFlags, queueWorkFlags } from '../flags.js';

/** A command line of `queue:work` that asks for worker processes. */
export interface PlainWork {
  /** What it says, as yargs would have it. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly workers: number;
}

/** Flags that keep `queue:work` in one process, or belong to others. */
const unsupervised = ['once', 'supervised', 'report-to-parent'];

/**
 * Reads a command line of `queue:work` that leaves no doubt: known flags, each once, each with its value. Answers
 * undefined for any other, which is yargs's to read or to refuse. That one takes so long to load that a worker
 * process would start its first job a third later.
 */
export function readPlainWork(words: readonly string[]): PlainWork | undefined {
  const [command, ...args] = words;
  if (command !== 'queue:work' && command !== 'work') return undefined;
  const parsed = parsePlain(args);
  if (parsed === undefined) return undefined;
  const { values, positionals, tokens } = parsed;
  const names = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  const isDoubtful =
    new Set(names).size < names.length ||
    ('json' in values && 'quiet' in values) ||
    tokens.some((token) => token.kind === 'option-terminator');
  if (isDoubtful || positionals.length > 1 || unsupervised.some((name) => name in values)) return undefined;
  const workers = String(values.workers ?? '1');
  if (!/^[1-9]\d{0,2}$/.test(workers)) return undefined;
  const [connection] = positionals;
  if (connection !== undefined && 'connection' in values) return undefined;
  return {
    values: { ...values, ...(connection !== undefined && { connection }) },
    workers: Number(workers),
  };
}

/** Whether a command line is for the supervisor of groups, as far as that is seen without reading all of it. */
export function isForGroups(words: readonly string[]): boolean {
  if (words[0] !== 'queue:supervise' && words[0] !== 'supervise') return false;
  return !words.some((word) => /^(?:--help|-h|--version|--list(?:=true)?|--plan)$/.test(word));
}

function parsePlain(args: string[]) {
  const flags = Object.entries({ ...commonFlags, ...queueWorkFlags });
  const options = Object.fromEntries(
    flags.map(([name, { kind }]) => [name, { type: kind === 'switch' ? 'boolean' : 'string' } as const]),
  );
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true, tokens: true });
  } catch {
    return undefined; // a word that is not known, or lacks its value
  }
}
