import assert from 'node:assert/strict';
import { type Connector, isQueueError, type ReservedJob } from '../../../src/index.js';
import type { ConformanceCase } from '../harness.js';
import {
  failedRecord,
  holds,
  holdsSize,
  jobs,
  leaseMs,
  pushAndReserve,
  reserveAll,
  reserveOne,
  soon,
} from '../steps.js';

/** The end of a connector. */
export const closeCases: readonly ConformanceCase[] = [
  {
    name: 'close: calls after it reject with E_QUEUE_CLOSED',
    async run({ connector }) {
      const held = await pushAndReserve(connector);
      await connector.close();
      for (const [verb, call] of Object.entries(everyCall(connector, held))) {
        const outcome = await call().then(
          () => 'no error',
          (error: unknown) => (isQueueError(error) ? error.code : error),
        );
        holds(`${verb} after close rejects`, outcome, 'E_QUEUE_CLOSED');
      }
    },
  },
  {
    name: 'close: can be called twice, also at once',
    async run({ connector }) {
      await connector.push('q', jobs(1));
      await Promise.all([connector.close(), connector.close()]);
      await connector.close();
    },
  },
  {
    name: 'close: a connector that was never used can be closed',
    async run(harness) {
      await soon('close of an unused connector ends', harness, harness.connector.close());
    },
  },
  {
    name: 'close: other connectors go on, and the jobs are still there',
    needs: ['second-connector'],
    async run({ connector, other }) {
      await connector.push('q', jobs(3));
      const { lease } = await reserveOne(connector);
      await connector.close();
      await holdsSize('a closed connector takes no jobs with it', other, { ready: 2, reserved: 1 });
      holds('its leases stay what they are', await other.delete([lease]), [true]);
      holds('the other connector reserves', (await reserveAll(other)).length, 2);
      await assert.rejects(connector.size('q'), 'a closed connector stays closed');
    },
  },
];

/** A call of every verb that the connector has. */
function everyCall(connector: Connector, held: ReservedJob): Record<string, () => Promise<unknown>> {
  const has = ([call]: [string, unknown]) => connector[call.split('.')[0] as keyof Connector] !== undefined;
  return Object.fromEntries(Object.entries(callsOf(connector as Required<Connector>, held)).filter(has));
}

/** A call of each verb that there is, by its name; those of a store are named after it. */
function callsOf(connector: Required<Connector>, held: ReservedJob) {
  const { lease } = held;
  const record = failedRecord(held);
  return {
    push: () => connector.push('q', jobs(1)),
    reserve: () => reserveAll(connector),
    extend: () => connector.extend([lease], leaseMs),
    delete: () => connector.delete([lease]),
    release: () => connector.release([{ lease, delayMs: 0 }]),
    size: () => connector.size('q'),
    clear: () => connector.clear('q'),
    unreserve: () => connector.unreserve([lease]),
    postpone: () => connector.postpone([{ lease, delayMs: 0 }]),
    releaseThrown: () => connector.releaseThrown([{ lease, delayMs: 0 }]),
    fail: () => connector.fail([{ lease, record }]),
    waitForJob: () => connector.waitForJob(['q'], 100, new AbortController().signal),
    peek: () => connector.peek('q', { state: 'ready', limit: 1 }),
    find: () => connector.find('q', 'a'),
    longestWaitMs: () => connector.longestWaitMs('q'),
    diagnose: () => connector.diagnose(),
    'failedJobs.list': () => connector.failedJobs.list(),
    'failedJobs.record': () => connector.failedJobs.record([record]),
    'signals.read': () => connector.signals.read('key'),
    'signals.write': () => connector.signals.write('key', 'value'),
    'workers.beat': () => connector.workers.beat({ id: 'a', about: '', keepMs: 1000 }),
    'workers.list': () => connector.workers.list(),
    'workers.leave': () => connector.workers.leave('a'),
    'statistics.put': () => connector.statistics.put([]),
    'statistics.read': () => connector.statistics.read({ fromMs: 0, untilMs: 1 }),
    'statistics.replace': () => connector.statistics.replace([], []),
    'history.add': () => connector.history.add([]),
    'history.list': () => connector.history.list(),
    'history.find': () => connector.history.find(['a']),
    'history.prune': () => connector.history.prune({ count: 1 }),
  };
}
