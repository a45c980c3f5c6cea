import { parseArgs } from 'node:util';
import type { Store } from './contender.js';
import { contenders, isContender } from './contenders.js';
import { type MeasureName, measures, type Sizes } from './measures.js';
import { servers } from './servers.js';

/** What one run of the benchmark shall do. */
export interface Options {
  readonly store: Store;
  readonly peers: readonly string[];
  readonly measures: readonly MeasureName[];
  readonly repeat: number;
  readonly sizes: Sizes;
  readonly aof: boolean;
  readonly json?: string;
  readonly profileTo?: string;
}

/** Reads the command line. @throws Error for what cannot be. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      store: { type: 'string', default: 'redis' },
      peers: { type: 'string', default: 'all' },
      measures: { type: 'string', default: 'push,drain,latency' },
      repeat: { type: 'string', default: '3' },
      jobs: { type: 'string', default: '20000' },
      paced: { type: 'string', default: '500' },
      limit: { type: 'string', default: '20' },
      aof: { type: 'string' },
      json: { type: 'string' },
      'cpu-prof': { type: 'string' },
    },
  });
  if (!(values.store in servers)) throw new Error(`--store is one of ${Object.keys(servers).join(', ')}`);
  if (values.aof !== undefined && values.aof !== 'everysec') throw new Error('--aof is everysec or left out');
  return {
    store: values.store as Store,
    peers: values.peers.split(',').map(knownContender),
    measures: values.measures.split(',').flatMap(measuresNamed),
    repeat: whole('repeat', values.repeat),
    sizes: {
      jobs: whole('jobs', values.jobs),
      paced: whole('paced', values.paced),
      limitMs: whole('limit', values.limit) * 1000,
    },
    aof: values.aof !== undefined,
    ...(values.json !== undefined && { json: values.json }),
    ...(values['cpu-prof'] !== undefined && { profileTo: values['cpu-prof'] }),
  };
}

function measuresNamed(asked: string): MeasureName[] {
  const all = Object.keys(measures) as MeasureName[];
  const found = all.filter((name) => name === asked || name.startsWith(`${asked}-`));
  if (found.length === 0) {
    throw new Error(`--measures: there is no ${asked}; there are ${Object.keys(measures).join(', ')}`);
  }
  return found;
}

function knownContender(asked: string): string {
  if (isContender(asked)) return asked;
  const names = contenders.map(({ name }) => name);
  throw new Error(`--peers: there is no ${asked}; there are ${names.join(', ')}`);
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value > 0)) throw new Error(`--${name} is a whole number from 1 up`);
  return value;
}
