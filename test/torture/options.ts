import { parseArgs } from 'node:util';

/** The stores that can be tortured; `naive` is the driver in which things can be broken. */
const driverNames = [
  'redis',
  'redis-cluster',
  'redis-sentinel',
  'sqlite',
  'mysql',
  'postgres',
  'naive',
] as const;

/** Those that are smoked. */
export const smoked = ['redis', 'sqlite', 'mysql', 'postgres'] as const satisfies DriverName[];

/** One of them. */
export type DriverName = (typeof driverNames)[number];

/** What the command line asks for. */
export interface Options {
  readonly driver: DriverName;
  /** How long things are broken; the drain comes after that. */
  readonly seconds: number;
  /** Of the schedule of faults and of what is pushed. */
  readonly seed: number;
  /** Redis: `everysec` may lose a second where the machine goes down, which no run here does. */
  readonly fsync: 'always' | 'everysec';
  /** Where failed jobs are kept: with the others, or in a store of their own, which is away now and then. */
  readonly failed: 'same' | 'elsewhere';
  /** What is broken in the naive driver. */
  readonly mutant: string | undefined;
  /** Run all mutants instead, each of which must be found. */
  readonly mutants: boolean;
  /** Each driver for 20 s, two at a time. */
  readonly smoke: boolean;
  /** Keep the ledgers also where all is well. */
  readonly keep: boolean;
}

export const usage = `npm run torture -- --driver ${driverNames.join('|')} [--seconds 600] [--seed N] [--keep]
                   [--failed same|elsewhere]   where failed jobs are kept
                   [--fsync always|everysec]   (Redis)
npm run torture:smoke [-- --seed N]            each of the four drivers for 20 s
npm run torture -- --mutants [--mutant NAME]   each of ten broken drivers must be found

Exit status: 0 green, 1 red, 2 void (too little was broken for a verdict) or bad usage.`;

/** @throws Error where they make no sense. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      driver: { type: 'string', default: 'naive' },
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string' },
      fsync: { type: 'string', default: 'always' },
      failed: { type: 'string', default: 'same' },
      mutant: { type: 'string' },
      mutants: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const driver = driverNames.find((name) => name === values.driver);
  const seconds = Number(values.seconds);
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  const { fsync, failed, mutant, mutants, smoke, keep } = values;
  if (driver === undefined)
    throw new Error(`--driver: ${values.driver} is none of ${driverNames.join(', ')}`);
  if (!(seconds >= 5)) throw new Error('--seconds: is no number from 5');
  if (!Number.isSafeInteger(seed)) throw new Error('--seed: is no whole number');
  if (fsync !== 'always' && fsync !== 'everysec') throw new Error('--fsync: is neither always nor everysec');
  if (failed !== 'same' && failed !== 'elsewhere') throw new Error('--failed: is neither same nor elsewhere');
  return { driver, seconds, seed, fsync, failed, mutant, mutants, smoke, keep };
}
