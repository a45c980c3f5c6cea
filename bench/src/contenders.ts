import type { Contender, Place, Store } from './contender.js';
import type { MeasureName } from './measures.js';
import { laterNode, ownNode, type Runtime } from './runtimes.js';

/** A contender before it is opened. */
export interface Entry {
  readonly name: string;
  /** What its figures are compared as. */
  readonly kind: 'drover' | 'peer' | 'raw';
  readonly stores: readonly Store[];
  /** The package to install for it. */
  readonly needs?: string;
  /** True where it refuses the Node that drover supports, and has to run on a later one. */
  readonly laterNode?: boolean;
  /** How much of the jobs it is given, where it would take minutes for all. Default 1. */
  readonly share?: number;
  /** The only measures that it is for. Default: all. */
  readonly only?: readonly MeasureName[];
  /** Measures that it cannot be measured with, and why. */
  readonly not?: Readonly<Partial<Record<MeasureName, string>>>;
  /** True where the workers are `drover queue:work` instead of a worker in the process of the contender. */
  readonly commandLine?: boolean;
  open(place: Place): Promise<Contender>;
}

/** Of the bare loops that take 50 jobs at once. */
const wholeBatches = { 'drain-io': 'it runs all jobs of a batch side by side, whatever the concurrency' };

/** All contenders; each module is imported only in the processes that measure it. */
export const contenders: readonly Entry[] = [
  { name: 'drover', kind: 'drover', stores: ['redis', 'postgres', 'mysql', 'sqlite'], open: openDrover({}) },
  {
    name: 'drover-prefetch-0',
    kind: 'drover',
    stores: ['redis', 'postgres', 'mysql', 'sqlite'],
    only: ['drain-1'],
    open: openDrover({ prefetch: 0 }),
  },
  {
    name: 'drover-cli',
    kind: 'drover',
    stores: ['redis', 'postgres', 'mysql', 'sqlite'],
    commandLine: true,
    open: openDrover({}),
  },
  { name: 'drover', kind: 'drover', stores: ['sync'], only: ['push-1', 'push-100'], open: openDrover({}) },
  {
    name: 'bee-queue',
    kind: 'peer',
    stores: ['redis'],
    needs: 'bee-queue',
    open: async (place) => (await import('./contenders/bee-queue.js')).open(place, true),
  },
  {
    name: 'bee-queue-default',
    kind: 'peer',
    stores: ['redis'],
    needs: 'bee-queue',
    open: async (place) => (await import('./contenders/bee-queue.js')).open(place, false),
  },
  {
    name: 'bullmq',
    kind: 'peer',
    stores: ['redis'],
    needs: 'bullmq',
    open: async (place) => (await import('./contenders/bullmq.js')).open(place),
  },
  {
    name: 'bullmq',
    kind: 'peer',
    stores: ['postgres'],
    needs: 'bullmq',
    share: 0.15,
    open: async (place) => (await import('./contenders/bullmq.js')).open(place),
  },
  {
    name: 'groupmq',
    kind: 'peer',
    stores: ['redis'],
    needs: 'groupmq',
    share: 0.5,
    open: async (place) => (await import('./contenders/groupmq.js')).open(place),
  },
  {
    name: 'pg-boss',
    kind: 'peer',
    stores: ['postgres'],
    needs: 'pg-boss',
    laterNode: true,
    not: { 'drain-1': 'in batches of one it takes a job every two seconds' },
    share: 0.2,
    open: async (place) => (await import('./contenders/pg-boss.js')).open(place),
  },
  {
    name: 'sidequest',
    kind: 'peer',
    stores: ['postgres', 'mysql', 'sqlite'],
    needs: 'sidequest',
    share: 0.02,
    open: async (place) => (await import('./contenders/sidequest.js')).open(place),
  },
  {
    name: 'graphile-worker',
    kind: 'peer',
    stores: ['postgres'],
    needs: 'graphile-worker',
    open: async (place) => (await import('./contenders/graphile-worker.js')).open(place, true),
  },
  {
    name: 'graphile-worker-default',
    kind: 'peer',
    stores: ['postgres'],
    needs: 'graphile-worker',
    share: 0.2,
    open: async (place) => (await import('./contenders/graphile-worker.js')).open(place, false),
  },
  {
    name: 'boringnode',
    kind: 'peer',
    stores: ['redis'],
    needs: '@boringnode/queue',
    laterNode: true,
    share: 0.5,
    open: async (place) => (await import('./contenders/boringnode.js')).open(place),
  },
  {
    name: 'boringnode',
    kind: 'peer',
    stores: ['postgres', 'mysql', 'sqlite'],
    needs: '@boringnode/queue',
    laterNode: true,
    share: 0.05,
    open: async (place) => (await import('./contenders/boringnode.js')).open(place),
  },
  {
    name: 'plainjob',
    kind: 'peer',
    stores: ['sqlite'],
    needs: 'plainjob',
    open: async (place) => (await import('./contenders/plainjob.js')).open(place),
  },
  { name: 'raw-hop', kind: 'raw', stores: ['redis'], only: ['latency'], open: openBlocked(1) },
  { name: 'raw-two-hops', kind: 'raw', stores: ['redis'], only: ['latency'], open: openBlocked(2) },
  {
    name: 'raw-1',
    kind: 'raw',
    stores: ['redis', 'postgres', 'mysql', 'sqlite'],
    open: openRaw(1, 'client'),
  },
  {
    name: 'raw-50',
    kind: 'raw',
    stores: ['redis', 'postgres', 'mysql', 'sqlite'],
    not: wholeBatches,
    open: openRaw(50, 'client'),
  },
  { name: 'raw-knex-1', kind: 'raw', stores: ['postgres', 'mysql', 'sqlite'], open: openRaw(1, 'knex') },
  {
    name: 'raw-knex-50',
    kind: 'raw',
    stores: ['postgres', 'mysql', 'sqlite'],
    not: wholeBatches,
    open: openRaw(50, 'knex'),
  },
];

/** The contenders that `names` ask for: `raw` means all whose names begin with `raw-`. */
export function selected(store: Store, names: readonly string[]): Entry[] {
  const all = contenders.filter((entry) => entry.stores.includes(store));
  return all.filter(({ name }) => names.some((asked) => isAsked(name, asked)));
}

/** The contender of that name. @throws Error where there is none on the store. */
export function contenderOf(store: Store, name: string): Entry {
  const found = contenders.find((entry) => entry.name === name && entry.stores.includes(store));
  if (found === undefined) throw new Error(`there is no contender ${name} on ${store}`);
  return found;
}

/** Whether any contender, on whatever store, goes by that name. */
export function isContender(asked: string): boolean {
  return contenders.some(({ name }) => isAsked(name, asked));
}

function isAsked(name: string, asked: string): boolean {
  return asked === 'all' || name === asked || name.startsWith(`${asked}-`);
}

/** The Node that a contender runs on. */
export function runtimeOf({ laterNode: isLater = false }: Entry): Runtime | undefined {
  return isLater ? laterNode : ownNode;
}

/** Why a contender cannot run here, where that is known before it is tried. */
export function missing(entry: Entry): string | undefined {
  const { needs } = entry;
  if (needs === undefined) return undefined;
  try {
    import.meta.resolve(needs);
  } catch {
    return `${needs} is not installed: cd bench && npm ci`;
  }
  return runtimeOf(entry) === undefined ? `${needs} needs Node 22 or later, and there is none` : undefined;
}

function openDrover(options: { readonly prefetch?: number }): Entry['open'] {
  return async (place) => (await import('./contenders/drover.js')).open(place, options);
}

function openBlocked(hops: 1 | 2): Entry['open'] {
  return async (place) => {
    if (place.store !== 'redis') throw new Error('it needs Redis');
    return (await import('./contenders/raw-redis-blocked.js')).open(place.port, hops);
  };
}

function openRaw(batch: number, via: 'client' | 'knex'): Entry['open'] {
  return async (place) => {
    switch (place.store) {
      case 'redis':
        return (await import('./contenders/raw-redis.js')).open(place.port, batch);
      case 'postgres':
        return (await import('./contenders/raw-postgres.js')).open(place.url, batch, via);
      case 'mysql':
        return (await import('./contenders/raw-mysql.js')).open(place.url, batch, via);
      case 'sqlite':
        return via === 'client'
          ? (await import('./contenders/raw-sqlite.js')).open(place.file, batch)
          : (await import('./contenders/raw-sqlite-knex.js')).open(place.file, batch);
      case 'sync':
        throw new Error('there is no bare loop without a store');
    }
  };
}
