import { Chance } from './chance.js';
import type { Profile } from './profile.js';

/** What can be done to a network. */
const networkFaults = [
  'cut',
  'lose-reply',
  'cut-before',
  'half-reply',
  'swallow',
  'half-open',
  'delay',
  'slow',
  'black-hole',
] as const;

/** Something to break, and when. */
export interface Planned {
  /** From the start of the run. */
  readonly atMs: number;
  readonly what:
    | 'kill'
    | 'kill-as-it-starts'
    | 'kill-as-it-ends'
    | 'kill-as-it-fails'
    | 'term'
    | 'term-as-it-runs'
    | 'stop'
    | 'stop-tree'
    | 'stop-before-it-settles'
    | 'restart'
    | 'outage'
    | 'network'
    | 'full'
    | 'clock'
    | 'graves';
  /** For what takes its time. */
  readonly forMs: number;
  /** From 0 to below 1: which of the processes that there are then. */
  readonly luck: number;
  readonly network: (typeof networkFaults)[number];
}

const kills = ['kill-as-it-ends', 'kill-as-it-fails', 'kill-as-it-starts', 'kill'] as const;
const terms = ['term-as-it-runs', 'term'] as const;

/** All that is to be broken in a run, by time. The same for the same seed. Pure. */
export function scheduleFor(
  { everyMs, leaseMs, restartlessMs }: Pick<Profile, 'everyMs' | 'leaseMs' | 'restartlessMs'>,
  forMs: number,
  seed: number,
): Planned[] {
  const chance = new Chance(seed);
  const planned: Planned[] = [];
  const plan = (what: Planned['what'], atMs: number, least = 0, most = 0) => {
    const network = chance.pick(networkFaults) ?? 'cut';
    planned.push({ atMs, what, forMs: chance.between(least, most), luck: chance.next(), network });
  };
  let count = 0;
  /** One after the other, so that none is left to chance. */
  const next = <T>(all: readonly [T, ...T[]]): T => all[count++ % all.length] ?? all[0];
  for (let at = chance.wait(everyMs.kill); at < forMs; at += chance.wait(everyMs.kill)) plan(next(kills), at);
  // Chance may leave a short run nearly without.
  while (count < Math.floor(forMs / everyMs.kill)) plan(next(kills), chance.between(0, forMs));
  const each = (everyOneMs: number, does: (atMs: number) => void) => {
    for (let at = everyOneMs * chance.between(0.4, 0.9); at < forMs; at += everyOneMs) does(at);
  };
  each(everyMs.term, (at) => plan(next(terms), at));
  each(everyMs.stop, (at) => plan(chance.next() < 0.3 ? 'stop' : 'stop-tree', at, leaseMs / 2, leaseMs * 2));
  each(everyMs.restart, (at) => {
    if (at < forMs - restartlessMs) plan('restart', at);
  });
  each(everyMs.outage, (at) => plan('outage', at, 200, 5000));
  each(everyMs.network, (at) => plan('network', at, 1000, 6000));
  each(everyMs.full, (at) => plan('full', at, 500, 4000));
  each(everyMs.clock, (at) => plan('clock', at, 1000, leaseMs * 2));
  each(everyMs.graves, (at) => plan('graves', at, 500, 5000));
  each(everyMs.late, (at) => plan('stop-before-it-settles', at));
  return planned.sort((a, b) => a.atMs - b.atMs);
}
