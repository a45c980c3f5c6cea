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
  const {
    unreserve,
    postpone,
    releaseThrown,
    fail,
    waitForJob,
    failedJobs,
    signals,
    workers,
    statistics,
    history,
    peek,
    find,
    diagnose,
    longestWaitMs,
  } = connector;
  const { lease } = held;
  const record = failedRecord(held);
  const calls: Record<string, () => Promise<unknown>> = {
    push: () => connector.push('q', jobs(1)),
    reserve: () => reserveAll(connector),
    extend: () => connector.extend([lease], leaseMs),
    delete: () => connector.delete([lease]),
    release: () => connector.release([{ lease, delayMs: 0 }]),
    size: () => connector.size('q'),
    clear: () => connector.clear('q'),
  };
  if (unreserve) calls.unreserve = () => unreserve.call(connector, [lease]);
  if (postpone) calls.postpone = () => postpone.call(connector, [{ lease, delayMs: 0 }]);
  if (releaseThrown) calls.releaseThrown = () => releaseThrown.call(connector, [{ lease, delayMs: 0 }]);
  if (fail) calls.fail = () => fail.call(connector, [{ lease, record }]);
  if (waitForJob) {
    calls.waitForJob = () => waitForJob.call(connector, ['q'], 100, new AbortController().signal);
  }
  if (peek) calls.peek = () => peek.call(connector, 'q', { state: 'ready', limit: 1 });
  if (find) calls.find = () => find.call(connector, 'q', 'a');
  if (longestWaitMs) calls.longestWaitMs = () => longestWaitMs.call(connector, 'q');
  if (diagnose) calls.diagnose = () => diagnose.call(connector);
  if (failedJobs) {
    calls['failedJobs.list'] = () => failedJobs.list();
    calls['failedJobs.record'] = () => failedJobs.record([record]);
  }
  if (signals) {
    calls['signals.read'] = () => signals.read('key');
    calls['signals.write'] = () => signals.write('key', 'value');
  }
  if (workers) {
    calls['workers.beat'] = () => workers.beat({ id: 'a', about: '', keepMs: 1000 });
    calls['workers.list'] = () => workers.list();
    calls['workers.leave'] = () => workers.leave('a');
  }
  if (statistics) {
    calls['statistics.put'] = () => statistics.put([]);
    calls['statistics.read'] = () => statistics.read({ fromMs: 0, untilMs: 1 });
    calls['statistics.replace'] = () => statistics.replace([], []);
  }
  if (history) {
    calls['history.add'] = () => history.add([]);
    calls['history.list'] = () => history.list();
    calls['history.find'] = () => history.find(['a']);
    calls['history.prune'] = () => history.prune({ count: 1 });
  }
  return calls;
}
