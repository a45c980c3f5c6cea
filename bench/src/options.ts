import { parseArgs } from 'node:util';
import type { Store } from './contender.js';
import { contenders, isContender } from './contenders.js';
import type { Sizes } from './measures/setting.js';
import { type MeasureName, measures } from './measures.js';
import { servers } from './servers.js';

/** What one run of the benchmark shall do. */
export interface Options {
  readonly stores: readonly Store[];
  readonly peers: readonly string[];
  /** Names of contenders that are left out. */
  readonly without: readonly string[];
  readonly measures: readonly MeasureName[];
  readonly repeat: number;
  readonly sizes: Sizes;
  readonly aof: boolean;
  /** Files of results to put together instead of measuring. */
  readonly merge: readonly string[];
  readonly targets: boolean;
  /** Prints one table for each store instead of one for each figure. */
  readonly overview: boolean;
  readonly json?: string;
  readonly svg?: string;
  readonly profileTo?: string;
}

/** Reads the command line. @throws Error for what cannot be. */
export function readOptions(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      store: { type: 'string', default: 'redis' },
      peers: { type: 'string', default: 'all' },
      without: { type: 'string' },
      measures: { type: 'string', default: 'push,drain,latency' },
      repeat: { type: 'string', default: '3' },
      jobs: { type: 'string', default: '100000' },
      paced: { type: 'string', default: '500' },
      limit: { type: 'string', default: '20' },
      aof: { type: 'string' },
      merge: { type: 'boolean', default: false },
      targets: { type: 'boolean', default: false },
      overview: { type: 'boolean', default: false },
      json: { type: 'string' },
      svg: { type: 'string' },
      'cpu-prof': { type: 'string' },
    },
  });
  if (values.aof !== undefined && values.aof !== 'everysec') throw new Error('--aof is everysec or left out');
  if (values.merge !== positionals.length > 0) throw new Error('--merge is followed by files of --json');
  return {
    stores: storesNamed(values.store),
    peers: values.peers.split(',').map(knownContender),
    without: values.without?.split(',').map(knownContender) ?? [],
    measures: values.measures.split(',').flatMap(measuresNamed),
    repeat: whole('repeat', values.repeat),
    sizes: {
      jobs: whole('jobs', values.jobs),
      paced: whole('paced', values.paced),
      limitMs: whole('limit', values.limit) * 1000,
    },
    aof: values.aof !== undefined,
    merge: positionals,
    targets: values.targets,
    overview: values.overview,
    ...(values.json !== undefined && { json: values.json }),
    ...(values.svg !== undefined && { svg: values.svg }),
    ...(values['cpu-prof'] !== undefined && { profileTo: values['cpu-prof'] }),
  };
}

function storesNamed(asked: string): Store[] {
  const all = Object.keys(servers) as Store[];
  if (asked === 'all') return all;
  const found = asked.split(',').map((name) => all.find((store) => store === name));
  if (found.includes(undefined)) throw new Error(`--store is all, or some of ${all.join(', ')}`);
  return found.flatMap((store) => store ?? []);
}

function measuresNamed(asked: string): MeasureName[] {
  const all = Object.keys(measures) as MeasureName[];
  const found = all.filter((name) => name === asked || name.startsWith(`${asked}-`));
  if (found.length > 0) return found;
  throw new Error(`--measures: there is no ${asked}; there are ${all.join(', ')}`);
}

function knownContender(asked: string): string {
  if (isContender(asked)) return asked;
  const names = new Set(contenders.map(({ name }) => name));
  throw new Error(`--peers: there is no ${asked}; there are ${[...names].join(', ')}`);
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value > 0)) throw new Error(`--${name} is a whole number from 1 up`);
  return value;
}
