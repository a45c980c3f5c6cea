import type { MemoryConnector } from '../../drivers/memory/connector.js';
import type { Connector, Lease, PushOutcome } from '../../src/index.js';
import { type Delegate, delegateTo, NewestLeases } from './delegate.js';
import type { Mutant } from './mutants.js';

/** A connector with some verbs replaced. */
export function broken(
  name: string,
  caughtBy: readonly string[],
  breakVerbs: (base: Delegate) => Partial<Connector>,
): Mutant {
  const wrap = (memory: MemoryConnector): Connector => {
    const base = delegateTo(memory);
    return { ...base, ...breakVerbs(base) };
  };
  return { name, caughtBy, wrap };
}

/** A settling verb that answers rightly for a lost lease and then acts on whoever has the job. */
function silent(
  verb: 'extend' | 'delete' | 'release' | 'unreserve' | 'fail',
  caughtBy: string,
  act: (base: Delegate, lease: Lease) => Promise<unknown>,
): Mutant {
  return broken(`${verb} of a lost lease answers false, and acts all the same`, [caughtBy], (base) => {
    const newest = new NewestLeases();
    const callAndAct = async (lease: Lease, calling: Promise<boolean[]>): Promise<boolean> => {
      const wasHeld = (await calling)[0] ?? false;
      if (!wasHeld) await act(base, newest.of(lease));
      return wasHeld;
    };
    const verbs: Delegate = {
      ...base,
      extend: (leases, leaseMs) =>
        Promise.all(leases.map((lease) => callAndAct(lease, base.extend([lease], leaseMs)))),
      delete: (leases) => Promise.all(leases.map((lease) => callAndAct(lease, base.delete([lease])))),
      unreserve: (leases) => Promise.all(leases.map((lease) => callAndAct(lease, base.unreserve([lease])))),
      release: (all) => Promise.all(all.map((one) => callAndAct(one.lease, base.release([one])))),
      fail: (all) => Promise.all(all.map((one) => callAndAct(one.lease, base.fail([one])))),
    };
    return {
      [verb]: verbs[verb],
      async reserve(queues, limit, leaseMs) {
        const reserved = await base.reserve(queues, limit, leaseMs);
        newest.remember(reserved);
        return reserved;
      },
    };
  });
}

const lateOf = (verb: string): string =>
  `fencing: after the job lapsed and was taken by another worker, a late ${verb} changes nothing`;

const silentVerbs: readonly Mutant[] = [
  silent('extend', "fencing: a late extend moves the end of nobody's lease", (base, lease) =>
    base.extend([lease], 600_000),
  ),
  silent('delete', lateOf('delete'), (base, lease) => base.delete([lease])),
  silent('release', lateOf('release'), (base, lease) => base.release([{ lease, delayMs: 0 }])),
  silent('unreserve', lateOf('unreserve'), (base, lease) => base.unreserve([lease])),
  silent('fail', lateOf('fail'), (base, lease) => base.delete([lease])),
];

const storing: readonly Mutant[] = [
  broken(
    'thrown errors are not counted',
    [
      'releaseThrown: counts, and nothing else counts or forgets',
      'releaseThrown: the count survives what gives the attempt back',
      'releaseThrown: a look shows the count, and the body as it was',
    ],
    (base) => ({ releaseThrown: (releases) => base.release(releases) }),
  ),
  broken(
    'push stores job by job',
    ['push: a batch that is refused stores none of its jobs', 'push: others see all jobs of a batch or none'],
    (base) => ({
      async push(queue, jobs) {
        const outcomes: PushOutcome[] = [];
        for (const one of jobs) {
          outcomes.push(...(await base.push(queue, [one])));
          await new Promise(setImmediate);
        }
        return outcomes;
      },
    }),
  ),
  broken(
    'the body is decoded and encoded again',
    [
      'body: is kept byte for byte: integers beyond 2^53',
      'body: is kept byte for byte: keys that stand twice',
      'body: is kept byte for byte: a lone surrogate, escaped',
    ],
    (base) => ({
      push: (queue, jobs) =>
        base.push(
          queue,
          jobs.map((one) => ({ ...one, body: encodedAgain(one.body) })),
        ),
    }),
  ),
  broken(
    'clear takes reserved jobs unasked',
    ['clear: removes ready and delayed jobs and leaves the reserved'],
    (base) => ({ clear: (queue) => base.clear(queue, { reserved: true }) }),
  ),
  broken('close closes nothing', ['close: calls after it reject with E_QUEUE_CLOSED'], () => ({
    close: async () => undefined,
  })),
];

const capabilities: readonly Mutant[] = [
  broken(
    'unreserve spends the attempt and the place',
    [
      'unreserve: the job is due at once with the attempt unspent',
      'order: an unreserved job gets its place back',
      'unreserve: a job that was due longest is first again',
    ],
    (base) => ({ unreserve: (leases) => base.release(leases.map((lease) => ({ lease, delayMs: 0 }))) }),
  ),
  broken('fail only deletes', ['fail: records the job and deletes it'], (base) => ({
    fail: (failures) => base.delete(failures.map(({ lease }) => lease)),
  })),
  broken('fail records before it looks', ['fail: only those still held are recorded'], (base) => ({
    async fail(failures) {
      await base.failedJobs.record(failures.map(({ record }) => record));
      return base.delete(failures.map(({ lease }) => lease));
    },
  })),
  broken('fail without a failed-job store', ['fail: comes with a failed-job store'], () => ({
    failedJobs: undefined,
  })),
  broken(
    'waitForJob sleeps through everything',
    [
      'waitForJob: a push ends the wait',
      'waitForJob: a job that is due already ends the wait at once, and stays',
    ],
    (base) => ({ waitForJob: (_, maxWaitMs, signal) => base.waitForJob([], maxWaitMs, signal) }),
  ),
  broken(
    'waitForJob hears one queue',
    [
      'waitForJob: a push ends the wait',
      'waitForJob: one push ends several waits, and each queue counts',
      'waitForJob: a release ends the wait',
    ],
    (base) => ({
      waitForJob: (queues, maxWaitMs, signal) => base.waitForJob(queues.slice(0, 1), maxWaitMs, signal),
    }),
  ),
  broken(
    'waitForJob takes the job that it waited for',
    ['waitForJob: a job that is due already ends the wait at once, and stays'],
    (base) => ({
      async waitForJob(queues, maxWaitMs, signal) {
        await base.waitForJob(queues, maxWaitMs, signal);
        await base.reserve(queues, 1, 60_000);
      },
    }),
  ),
  broken(
    'reserve brings nothing right after a wait',
    ['waitForJob: a reserve right after a wait sees what was pushed since the wait ended'],
    (base) => {
      let hasWaited = false;
      return {
        async waitForJob(queues, maxWaitMs, signal) {
          await base.waitForJob(queues, maxWaitMs, signal);
          hasWaited = true;
        },
        async reserve(queues, limit, leaseMs) {
          const isFirst = hasWaited;
          hasWaited = false;
          return isFirst ? [] : await base.reserve(queues, limit, leaseMs);
        },
      };
    },
  ),
  broken('waitForJob waits longer than it may', ['waitForJob: ends after the longest wait'], (base) => ({
    waitForJob: (queues, _, signal) => base.waitForJob(queues, 600_000, signal),
  })),
  broken(
    'waitForJob rejects on abort',
    ['waitForJob: an abort ends the wait and rejects nothing'],
    (base) => ({
      async waitForJob(queues, maxWaitMs, signal) {
        await base.waitForJob(queues, maxWaitMs, signal);
        signal.throwIfAborted();
      },
    }),
  ),
  broken(
    'failed jobs are listed oldest first',
    ['failed store: lists the newest first, in pages'],
    (base) => ({
      failedJobs: {
        ...base.failedJobs,
        list: async (filter) => (await base.failedJobs.list(filter)).reverse(),
      },
    }),
  ),
  broken(
    'retry leaves the record',
    ['retry: the job is due in its queue with no attempt spent, and its record is gone'],
    (base) => ({
      failedJobs: {
        ...base.failedJobs,
        async retry(uuids) {
          const records = await base.failedJobs.find(uuids);
          const outcomes = await base.failedJobs.retry(uuids);
          await base.failedJobs.record(records);
          return outcomes;
        },
      },
    }),
  ),
  broken(
    'a swap looks, then writes',
    ['signals: of swaps at once that expect the same one writes'],
    (base) => ({
      signals: {
        ...base.signals,
        async swap(key, expected, value) {
          if ((await base.signals.read(key)) !== expected) return false;
          await base.signals.write(key, value);
          return true;
        },
      },
    }),
  ),
  broken(
    'a beat holds for ever',
    ['workers: one that says no more is forgotten when its time is over, by the store’s clock'],
    (base) => ({ workers: { ...base.workers, beat: (beat) => base.workers.beat({ ...beat, keepMs: 1e9 }) } }),
  ),
  broken(
    'a worker keeps its first beat',
    ['workers: every connector sees what each worker said last, byte for byte'],
    (base) => {
      const seen = new Set<string>();
      const beat = async (one: { id: string; about: string; keepMs: number }): Promise<void> => {
        if (seen.has(one.id)) return;
        seen.add(one.id);
        await base.workers.beat(one);
      };
      return { workers: { ...base.workers, beat } };
    },
  ),
  broken(
    'leaving takes all',
    ['workers: one that leaves is gone at once; leaving twice is no error'],
    (base) => ({
      workers: {
        ...base.workers,
        async leave() {
          for (const { id } of await base.workers.list()) await base.workers.leave(id);
        },
      },
    }),
  ),
  broken(
    'longestWaitMs counts from the newest job',
    ['longestWaitMs: tells of the ready job that has been due longest, and of none where none is ready'],
    (base) => ({
      longestWaitMs: async (queue) => ((await base.longestWaitMs(queue)) === null ? null : 0),
    }),
  ),
  broken(
    'longestWaitMs forgets lapsed leases',
    ['longestWaitMs: a job whose lease has lapsed has waited since then'],
    (base) => ({ longestWaitMs: async () => ((await base.size('q')).delayed > 0 ? 1 : null) }),
  ),
  broken('signals forget', ['signals: what is written can be read by every connector'], (base) => ({
    signals: { ...base.signals, read: async () => null },
  })),
];

/** Smaller faults, and faults of capabilities: the suite must see these too. */
export const brokenVerbs: readonly Mutant[] = [...silentVerbs, ...storing, ...capabilities];

function encodedAgain(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return body;
  }
}
