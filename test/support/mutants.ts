import type { MemoryConnector } from '../../drivers/memory/connector.js';
import type { Connector } from '../../src/index.js';
import {
  deleteWithoutToken,
  extendThatRevives,
  releaseThatInserts,
  tokenOfIdAndAttempts,
  unreserveWithoutToken,
} from './mutants-fencing.js';
import {
  attemptsNotStored,
  equalBodiesCollapse,
  idsRememberedForEver,
  newestFirst,
  reserveInTwoSteps,
} from './mutants-storing.js';

/** A connector with one well-known fault, to show that the suite sees it. */
export interface Mutant {
  readonly name: string;
  /** The cases that are written for this fault: each must fail. */
  readonly caughtBy: readonly string[];
  wrap(memory: MemoryConnector): Connector;
}

/** The faults that job queues really had. */
export const mutants: readonly Mutant[] = [
  {
    name: 'reserve is not atomic',
    wrap: reserveInTwoSteps,
    caughtBy: [
      'concurrency: overlapping reserves never share a job',
      'concurrency: overlapping reserves of one job hand it to one of them',
      'concurrency: overlapping reserves never share a lapsed job',
    ],
  },
  {
    name: 'delete goes by id, without the token',
    wrap: deleteWithoutToken,
    caughtBy: [
      'fencing: after the job lapsed and was taken by another worker, a late delete changes nothing',
      'fencing: after the job was released and taken by another worker, a late delete changes nothing',
      'fencing: after the job was cleared, pushed again and taken, a late delete changes nothing',
    ],
  },
  {
    name: 'release inserts although the lease is lost',
    wrap: releaseThatInserts,
    caughtBy: [
      'fencing: after the job lapsed and was taken by another worker, a late release changes nothing',
      'fencing: after the job was settled by delete, release changes nothing',
      'fencing: after the job was settled by release, release changes nothing',
      'release: a lease named twice in one call gives one job back',
    ],
  },
  {
    name: 'attempts are not stored',
    wrap: attemptsNotStored,
    caughtBy: [
      'reserve: attempts count every delivery',
      'release: without a delay the job is due at once, with the attempt spent',
      'unreserve: attempts that were spent before stay spent',
    ],
  },
  {
    name: 'the order is lost',
    wrap: newestFirst,
    caughtBy: [
      'order: jobs come in the order of their pushes',
      'order: one at a time, the same order',
      'order: 20,000 jobs that become due at once keep their order in batches',
    ],
  },
  {
    name: 'the token is id and attempts',
    wrap: tokenOfIdAndAttempts,
    caughtBy: [
      'reserve: a token is fresh although id and attempts are the same',
      'fencing: after the job was unreserved and taken with the same attempts, a late delete changes nothing',
      'fencing: after the job was deleted, pushed again and taken, a late release changes nothing',
      'fencing: after the job failed, was retried and taken with the same attempts, a late delete changes nothing',
    ],
  },
  {
    name: "a repeated unreserve takes another worker's job",
    wrap: unreserveWithoutToken,
    caughtBy: [
      'unreserve: repeated, it takes the job from nobody',
      'fencing: after the job was unreserved and taken with the same attempts, a late unreserve changes nothing',
      'fencing: after the job lapsed and was taken by another worker, a late unreserve changes nothing',
    ],
  },
  {
    name: 'an id once seen is already there for ever',
    wrap: idsRememberedForEver,
    caughtBy: [
      'retry: an id that was pushed before is not swallowed',
      'push: an id is free again once its job was deleted',
      'push: an id is free again once its job was cleared',
      'push: an id is free again once its job failed',
    ],
  },
  {
    name: 'two equal bodies collapse into one job',
    wrap: equalBodiesCollapse,
    caughtBy: ['body: two jobs with the same body and different ids stay two jobs'],
  },
  {
    name: 'extend revives a lost lease',
    wrap: extendThatRevives,
    caughtBy: [
      'fencing: after the job lapsed and was taken by another worker, a late extend changes nothing',
      'fencing: after the job was settled by delete, extend changes nothing',
      'fencing: after the job was released and taken by another worker, a late extend changes nothing',
    ],
  },
];
