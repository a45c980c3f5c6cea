import type { Connector } from '../../../src/index.js';
import type { Capability, ConformanceCase, ConformanceHarness } from '../harness.js';
import {
  failedRecord,
  holds,
  holdsSize,
  idsOf,
  job,
  offered,
  pushAndReserve,
  reserveAll,
  soon,
} from '../steps.js';

const needs: readonly Capability[] = ['waitForJob'];

/** Longer than a case's patience: such a wait must be woken to pass. */
const longMs = 600_000;

/** Starts a long wait, does something, and holds the wait to end soon after. */
async function wakes(
  rule: string,
  harness: ConformanceHarness,
  act: (waiting: Connector, acting: Connector) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController();
  const { connector, other } = harness;
  const waiting: Promise<unknown> = offered(connector).waitForJob(['empty', 'q'], longMs, stop.signal);
  waiting.catch(() => undefined); // `soon` reports it; before that it must not count as unhandled.
  try {
    await act(connector, other);
    await soon(rule, harness, waiting);
  } finally {
    stop.abort();
  }
}

/** Waiting for work without asking again and again. */
export const waitCases: readonly ConformanceCase[] = [
  {
    name: 'waitForJob: a job that is due already ends the wait at once, and stays',
    needs,
    async run(harness) {
      const { connector } = harness;
      await connector.push('q', [job('a')]);
      await wakes('waitForJob with a job due ends at once', harness, async () => undefined);
      await holdsSize('waitForJob takes no job', connector, { ready: 1 });
    },
  },
  {
    name: 'waitForJob: a push ends the wait',
    needs,
    async run(harness) {
      await wakes('a push wakes waitForJob', harness, (_, acting) => acting.push('q', [job('a')]));
      holds('the job is there to reserve', (await reserveAll(harness.connector)).length, 1);
    },
  },
  {
    name: 'waitForJob: a release ends the wait',
    needs,
    async run(harness) {
      const { lease } = await pushAndReserve(harness.connector);
      await wakes('a release wakes waitForJob', harness, (_, acting) =>
        acting.release([{ lease, delayMs: 0 }]),
      );
    },
  },
  {
    name: 'waitForJob: an unreserve ends the wait',
    needs: [...needs, 'unreserve'],
    async run(harness) {
      const { lease } = await pushAndReserve(harness.connector);
      await wakes('an unreserve wakes waitForJob', harness, (_, acting) =>
        offered(acting).unreserve([lease]),
      );
    },
  },
  {
    name: 'waitForJob: a retry ends the wait',
    needs: [...needs, 'failedJobs', 'failedJobs.retry'],
    async run(harness) {
      const record = failedRecord({ id: 'a', queue: 'q', body: '{}', attempts: 1 });
      await offered(harness.connector).failedJobs.record([record]);
      await wakes('a retry wakes waitForJob', harness, (_, acting) =>
        offered(acting).failedJobs.retry([record.uuid]),
      );
    },
  },
  {
    name: 'waitForJob: one push ends several waits, and each queue counts',
    needs,
    async run(harness) {
      await wakes('every wait is woken', harness, () =>
        wakes('every wait is woken', harness, (_, acting) => acting.push('q', [job('a')])),
      );
      await harness.connector.clear('q');
      await wakes('each queue of the list counts', harness, (_, acting) => acting.push('empty', [job('a')]));
    },
  },
  {
    name: 'waitForJob: ends after the longest wait',
    needs,
    async run(harness) {
      const { signal } = new AbortController();
      const waiting: Promise<unknown> = offered(harness.connector).waitForJob(['q'], 50, signal);
      await soon('waitForJob ends after maxWaitMs', harness, waiting);
    },
  },
  {
    name: 'waitForJob: a reserve right after a wait sees what was pushed since the wait ended',
    needs,
    async run({ connector, other }) {
      const { signal } = new AbortController();
      for (const pusher of [connector, other]) {
        for (const maxWaitMs of [0, 1, 20]) {
          await offered(connector).waitForJob(['q'], maxWaitMs, signal);
          await pusher.push('q', [job('a')]);
          const jobs = await connector.reserve(['q'], 10, 60_000);
          holds('the job is reserved', idsOf(jobs), ['a']);
          await connector.delete(jobs.map(({ lease }) => lease));
        }
      }
    },
  },
  {
    name: 'waitForJob: an abort ends the wait and rejects nothing',
    needs,
    async run(harness) {
      const stop = new AbortController();
      const waiting: Promise<unknown> = offered(harness.connector).waitForJob(['q'], longMs, stop.signal);
      stop.abort(new Error('stopped by the case'));
      holds('an abort resolves', await soon('an abort ends waitForJob', harness, waiting), undefined);
      const late: Promise<unknown> = offered(harness.connector).waitForJob(['q'], longMs, stop.signal);
      await soon('waitForJob with an aborted signal ends at once', harness, late);
    },
  },
  {
    name: 'waitForJob: ends when a delayed job becomes due',
    needs,
    realTime: true,
    async run(harness) {
      await wakes('a job that becomes due wakes waitForJob', harness, (_, acting) =>
        acting.push('q', [job('a', { delayMs: 150 })]),
      );
    },
  },
  {
    name: 'waitForJob: ends when a lease lapses',
    needs,
    realTime: true,
    async run(harness) {
      await wakes('a lapse wakes waitForJob', harness, async (_, acting) => {
        await acting.push('q', [job('a')]);
        await acting.reserve(['q'], 1, 150);
      });
    },
  },
];
