import type { Args, Flags } from './args.js';
import type { Io } from './io.js';

/** A command: what `--help` says of it, and how it runs. */
export interface Command {
  /** Beside those that every command has. */
  readonly flags: Flags;
  /** What the positional words are, by name. */
  readonly positionals?: Readonly<Record<string, string>>;
  readonly examples: readonly (readonly [line: string, says: string])[];
  /** Exit codes beside those that every command has. */
  readonly exits?: readonly (readonly [code: number, says: string])[];
  /** A paragraph for the end of the help. */
  readonly notes?: string;
  /** Answers the exit code. */
  run(args: Args, io: Io): Promise<number>;
}

/** A command as it stands in the list: what is known of it without loading it. */
export interface CommandEntry {
  /** Full name and positional words, as yargs reads them. */
  readonly usage: string;
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

/** The full name, `queue:work`. */
export function fullName(entry: CommandEntry): string {
  return entry.usage.split(' ')[0] as string;
}

/** The name without its prefix, `work`; undefined where there is no prefix `queue:`. */
export function shortName(entry: CommandEntry): string | undefined {
  const [prefix, name] = fullName(entry).split(':');
  return prefix === 'queue' ? name : undefined;
}
