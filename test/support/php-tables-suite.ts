import type { Capability } from '../conformance/index.js';

/**
 * An attempt is not taken back at once, as it tells one delivery from the next; thrown errors have no column, and how long
 * jobs wait is in no index.
 */
export const lacks: readonly Capability[] = [
  'deleteAndReserve',
  'unreserve',
  'releaseThrown',
  'longestWaitMs',
];

/** What PHP's columns have no room for, or what its index cannot tell. */
const exceptions = [
  // Ids are the rows': none is taken, and none swallowed.
  'concurrency: overlapping pushes of one id store one job',
  'push: (repeated in full|new jobs are stored beside|an id )',
  'push: ids and queues are told apart by every character',
  'retry: (answers per uuid|a live job of that id keeps the record|an id that was pushed before)',
  'fail: a new job of an id that failed',
  'failed store: (a record of the same connection|the same job id in another queue|finds by uuid and by job id)',
  // A job that is put off comes a second later at the least.
  'fencing: what postpone answers for a lapsed lease',
  'postpone: repeated, it takes the job from nobody',
  // Jobs come in the order of their ids, as PHP takes them.
  'order: (the job due longest|a released job waits)',
  'release: each job has its own delay',
];

/** Drover's own tables beside those of PHP, which the suite is run on elsewhere. */
const elsewhere = ['signals: ', 'workers: ', 'statistics: ', 'history: '];
/** The suite without them. */
export const about = new RegExp(`^(?!${[...exceptions, ...elsewhere].join('|')})`);

/** What depends on how the columns tell one delivery from the next. */
export const aboutColumns = new RegExp(
  `^(?=reserve: |lease: |fencing: |release: |settle: |concurrency: |size: |clear: |fail: |retry: )${about.source.slice(1)}`,
);
