import type { Store } from './contender.js';

/** The figures that targets are about. */
export const figures = {
  'push-1': 'push: one at a time, jobs/s',
  'push-100': 'push: 100 under way, jobs/s',
  'push-bulk': 'push: 1,000 a call, jobs/s',
  'push-20k': 'push: one of 20 KB at a time, jobs/s',
  'drain-1': 'drain: concurrency 1, jobs/s',
  'drain-10': 'drain: concurrency 10, jobs/s',
  'drain-100': 'drain: concurrency 100, jobs/s',
  'drain-2x10': 'drain: 2 processes of concurrency 10, jobs/s',
  'drain-20k': 'drain: 20 KB a job, concurrency 10, jobs/s',
  'drain-io': 'drain: handlers that wait 2 ms, concurrency 10, jobs/s',
  'backlog-1k': 'backlog: 1,000 waiting, concurrency 10, jobs/s',
  'backlog-20k': 'backlog: 20,000 waiting, concurrency 10, jobs/s',
  'backlog-100k': 'backlog: 100,000 waiting, concurrency 10, jobs/s',
  'backlog-1m': 'backlog: 1,000,000 waiting, concurrency 10, jobs/s',
  'delayed-100k': 'backlog: 100,000 delayed besides, concurrency 10, jobs/s',
  p50: 'latency: push to handler, p50, ms',
  cpu: 'cost at concurrency 10: worker CPU, s per 10,000 jobs',
  memory: 'cost at concurrency 10: worker peak memory, MiB',
  cold: 'cold start to first job, ms',
} as const;

/** What a figure has to come to. */
export interface Bound {
  readonly figure: keyof typeof figures;
  /** Whose figure. Default: drover's. */
  readonly contender?: string;
  /** The contenders by the best of which it is divided; absent for the figure itself. */
  readonly of?: readonly string[];
  readonly least?: number;
  readonly most?: number;
}

/** What drover wants to reach: it must, and it would like to. */
export interface Target {
  readonly store: Store;
  readonly name: string;
  readonly must?: readonly Bound[];
  readonly goal?: readonly Bound[];
}

type Pair = readonly [must: number, goal: number];

const best = ['best peer'];
const knexPeers = ['boringnode', 'sidequest'];
const strict = 'drover-prefetch-0';
const drains = ['drain-10', 'drain-100'] as const;

/** At least so many times the best of some contenders, for one figure. */
function pair(store: Store, figure: Bound['figure'], of: readonly string[], [must, goal]: Pair): Target {
  return {
    store,
    name: figure,
    must: [{ figure, of, least: must }],
    goal: [{ figure, of, least: goal }],
  };
}

function latency(store: Store, of: readonly string[] | undefined, [must, goal]: Pair): Target {
  const bound = (most: number): Bound => ({ figure: 'p50', most, ...(of !== undefined && { of }) });
  return { store, name: 'idle pickup', must: [bound(must)], goal: [bound(goal)] };
}

function drain10And100(store: Store, bounds: (figure: Bound['figure']) => Omit<Target, 'store' | 'name'>) {
  return drains.map((figure) => ({ store, name: figure, ...bounds(figure) }));
}

const redis: readonly Target[] = [
  ...drain10And100('redis', (figure) => ({
    must: [
      { figure, of: ['bee-queue'], least: 2.5 },
      { figure, of: ['bullmq'], least: 4.5 },
    ],
    goal: [
      { figure, of: ['bee-queue'], least: 4 },
      { figure, of: ['raw-50'], least: 0.3 },
    ],
  })),
  {
    store: 'redis',
    name: 'drain-1, prefetch off',
    must: [
      { figure: 'drain-1', contender: strict, of: ['bee-queue'], least: 1.6 },
      { figure: 'drain-1', contender: strict, of: ['raw-1'], least: 0.65 },
    ],
    goal: [
      { figure: 'drain-1', contender: strict, of: ['bee-queue'], least: 2.1 },
      { figure: 'drain-1', contender: strict, of: ['raw-1'], least: 0.85 },
    ],
  },
  pair('redis', 'push-1', ['bee-queue'], [0.9, 1]),
  pair('redis', 'push-100', ['bee-queue'], [1, 2]),
  pair('redis', 'push-bulk', ['bee-queue'], [2, 3]),
  latency('redis', ['bee-queue'], [1.3, 1.15]),
];

const postgres: readonly Target[] = [
  ...drain10And100('postgres', (figure) => ({
    must: [
      { figure, of: ['graphile-worker'], least: 1 },
      { figure, of: ['graphile-worker-default'], least: 12 },
    ],
    goal: [{ figure, of: ['graphile-worker'], least: 1.3 }],
  })),
  {
    store: 'postgres',
    name: 'drain-1, prefetch off',
    must: [
      { figure: 'drain-1', contender: strict, of: ['boringnode'], least: 4 },
      { figure: 'drain-1', contender: strict, of: ['bullmq'], least: 1.3 },
    ],
    goal: [{ figure: 'drain-1', contender: strict, of: ['raw-knex-1'], least: 0.9 }],
  },
  pair('postgres', 'push-1', best, [1, 1.3]),
  pair('postgres', 'push-100', best, [1.5, 3]),
  pair('postgres', 'push-bulk', best, [1, 1.3]),
  latency('postgres', ['graphile-worker'], [1.2, 0.8]),
];

const mysql: readonly Target[] = [
  ...drain10And100('mysql', (figure) => ({
    must: [{ figure, of: best, least: 15 }],
    goal: [
      { figure, of: best, least: 25 },
      { figure, of: ['raw-knex-50'], least: 0.8 },
    ],
  })),
  {
    store: 'mysql',
    name: 'drain-1, prefetch off',
    must: [{ figure: 'drain-1', contender: strict, of: best, least: 2 }],
    goal: [{ figure: 'drain-1', contender: strict, of: best, least: 3 }],
  },
  pair('mysql', 'push-1', best, [1.2, 1.6]),
  pair('mysql', 'push-100', best, [1.5, 3]),
  pair('mysql', 'push-bulk', best, [1, 1.5]),
  latency('mysql', undefined, [15, 5]),
];

const sqlite: readonly Target[] = [
  ...drain10And100('sqlite', (figure) => ({
    must: [
      { figure, of: ['plainjob'], least: 2.3 },
      { figure, of: knexPeers, least: 30 },
    ],
    goal: [{ figure, of: ['plainjob'], least: 4 }],
  })),
  {
    store: 'sqlite',
    name: 'drain-1, prefetch off',
    must: [
      { figure: 'drain-1', contender: strict, of: knexPeers, least: 4.5 },
      { figure: 'drain-1', contender: strict, of: ['plainjob'], least: 0.4 },
    ],
    goal: [{ figure: 'drain-1', contender: strict, of: ['plainjob'], least: 0.8 }],
  },
  { store: 'sqlite', name: 'push-1', must: [{ figure: 'push-1', of: knexPeers, least: 1.5 }] },
  pair('sqlite', 'push-1', ['plainjob'], [0.4, 0.8]),
  pair('sqlite', 'push-100', ['plainjob'], [0.5, 0.9]),
  pair('sqlite', 'push-bulk', ['plainjob'], [0.4, 0.8]),
  latency('sqlite', undefined, [2, 0.6]),
];

/** CPU seconds for 10,000 jobs at most. */
const cpuSeconds: Readonly<Partial<Record<Store, number>>> = { redis: 0.4, postgres: 0.6, sqlite: 0.5 };

/** The peers that drain fastest, by store: to be faster must not take more memory. */
const fastest: Readonly<Partial<Record<Store, readonly string[]>>> = {
  redis: ['bee-queue'],
  postgres: ['graphile-worker'],
  mysql: ['boringnode'],
  sqlite: ['plainjob'],
};

function onEveryStore(store: Store): Target[] {
  const cpu = cpuSeconds[store];
  const itself = ['drover at 20,000'];
  const one = (name: string, bound: Bound): Target => ({ store, name, must: [bound] });
  return [
    one('backlog', { figure: 'backlog-1m', of: itself, least: 0.85 }),
    one('backlog', { figure: 'delayed-100k', of: itself, least: 0.85 }),
    ...(cpu === undefined ? [] : [one('CPU', { figure: 'cpu', most: cpu })]),
    one('memory', { figure: 'memory', of: fastest[store] ?? best, most: 1 }),
    one('start', { figure: 'cold', contender: 'drover-cli', of: ['raw-1'], most: 1.25 }),
    one('20 KB', { figure: 'push-20k', of: best, least: 1 }),
    one('20 KB', { figure: 'drain-20k', of: best, least: 1 }),
    one('2 ms of waiting', { figure: 'drain-io', of: best, least: 1 }),
  ];
}

/** All targets. */
export const targets: readonly Target[] = [
  ...redis,
  ...onEveryStore('redis'),
  ...postgres,
  ...onEveryStore('postgres'),
  ...mysql,
  ...onEveryStore('mysql'),
  ...sqlite,
  ...onEveryStore('sqlite'),
  { store: 'sync', name: 'no-op jobs', must: [{ figure: 'push-1', least: 100_000 }] },
];
