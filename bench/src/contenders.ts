import type { Contender, Place, Store } from './contender.js';

/** A contender before it is opened. */
export interface Entry {
  readonly name: string;
  /** What its figures are compared as. */
  readonly kind: 'drover' | 'peer' | 'raw';
  readonly stores: readonly Store[];
  /** The package to install for it. */
  readonly needs?: string;
  /** True where the workers are `drover queue:work` instead of a worker in the process of the contender. */
  readonly commandLine?: boolean;
  open(place: Place): Promise<Contender>;
}

/** All contenders; each module is imported only in the processes that measure it. */
export const contenders: readonly Entry[] = [
  { name: 'drover', kind: 'drover', stores: ['redis', 'sqlite'], open: openDrover },
  { name: 'drover-cli', kind: 'drover', stores: ['redis', 'sqlite'], commandLine: true, open: openDrover },
  {
    name: 'bee-queue',
    kind: 'peer',
    stores: ['redis'],
    needs: 'bee-queue',
    open: async (place) => (await import('./contenders/bee-queue.js')).open(place),
  },
  {
    name: 'bullmq',
    kind: 'peer',
    stores: ['redis'],
    needs: 'bullmq',
    open: async (place) => (await import('./contenders/bullmq.js')).open(place),
  },
  {
    name: 'plainjob',
    kind: 'peer',
    stores: ['sqlite'],
    needs: 'plainjob',
    open: async (place) => (await import('./contenders/plainjob.js')).open(place),
  },
  { name: 'raw-1', kind: 'raw', stores: ['redis', 'sqlite'], open: (place) => openRaw(place, 1) },
  { name: 'raw-50', kind: 'raw', stores: ['redis', 'sqlite'], open: (place) => openRaw(place, 50) },
];

/** The contenders that `names` ask for: `raw` means all whose names begin with `raw-`. */
export function selected(store: Store, names: readonly string[]): Entry[] {
  const all = contenders.filter((entry) => entry.stores.includes(store));
  return all.filter(({ name }) => names.some((asked) => isAsked(name, asked)));
}

/** Whether any contender, on whatever store, goes by that name. */
export function isContender(asked: string): boolean {
  return contenders.some(({ name }) => isAsked(name, asked));
}

function isAsked(name: string, asked: string): boolean {
  return name === asked || name.startsWith(`${asked}-`);
}

/** Why a contender cannot run here, where that is known before it is tried. */
export function missing({ needs }: Entry): string | undefined {
  if (needs === undefined) return undefined;
  try {
    import.meta.resolve(needs);
    return undefined;
  } catch {
    return `${needs} is not installed: cd bench && npm ci`;
  }
}

async function openDrover(place: Place): Promise<Contender> {
  return (await import('./contenders/drover.js')).open(place);
}

async function openRaw(place: Place, batch: number): Promise<Contender> {
  return place.store === 'redis'
    ? (await import('./contenders/raw-redis.js')).open(place.port, batch)
    : (await import('./contenders/raw-sqlite.js')).open(place.file, batch);
}
