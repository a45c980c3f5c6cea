import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  createQueue,
  type Driver,
  defineJob,
  type EventName,
  type Job,
  type Queue,
  type WorkerOptions,
} from '../../src/index.js';
import { within } from './deferred.js';
import {
  type Forgiven,
  keepsItsWaits,
  longestGap,
  type Moment,
  type Push,
  type Span,
  type Toll,
  verdict,
} from './outage-verdict.js';
import { recordingLogger } from './recorder.js';
import { until } from './redis-refusals.js';

/** A store that goes down under those who use it. */
export interface Outage extends Forgiven {
  /** For the store; each producer and the worker have one of their own. */
  driver(): Driver;
  /** The fault, until the store is there again. `noticed` waits until the worker has looked for it in vain, twice. */
  happen(noticed: () => Promise<void>): Promise<void>;
  /**
   * Lets the leases of what nobody holds any more lapse; without it they lapse by themselves. As no time passes for who
   * holds a job, it would run twice.
   */
  lapse?(): Promise<void>;
  /** The queues of the jobs, each with a producer. */
  readonly queues: readonly string[];
}

/** How long jobs may be away for after the store is back, before that is a worker that hangs. */
const patienceMs = 30_000;
/** Jobs of each queue that run before its store goes down, and after it is there again. */
const some = 50;

/**
 * Works jobs that are pushed all the while through an outage, and to their end: the worker goes on by itself, nothing
 * is lost and nothing runs twice, but for what the store may have forgotten.
 */
export async function worksThrough(outage: Outage): Promise<Toll> {
  const { queues } = outage;
  const worker = startWorker(outage);
  const stop = new AbortController();
  const runsOf = (queue: string) => worker.ran.filter((one) => one.queue === queue);
  const producing = queues.map((queue) => produce(outage, queue, stop.signal, () => runsOf(queue).length));
  const someMore = (what: string) => {
    const enough = queues.map((queue) => runsOf(queue).length + some);
    const isEnough = () => queues.every((queue, index) => runsOf(queue).length > (enough[index] ?? 0));
    return within(until(isEnough), what, patienceMs);
  };
  try {
    const early = await pushEarly(outage);
    await someMore('the first jobs');
    const span = await worker.meets(outage);
    await someMore('the work after the outage');
    keepsItsWaits(worker.lines, performance.now() - span.fromMs);
    stop.abort();
    const accepted = [...early, ...(await Promise.all(producing)).flat()];
    await worker.stop();
    // What was reserved and never arrived comes again when its lease lapses.
    await outage.lapse?.();
    await worker.drain();
    const standstillMs = Math.round(Math.max(...queues.map((queue) => longestGap(runsOf(queue)))));
    return { ...verdict(outage, span, accepted, worker), standstillMs };
  } finally {
    stop.abort();
    await Promise.all([worker.close(), ...producing]);
  }
}

/** Has a worker with nothing to do meet an outage: it goes on by itself, and takes what comes afterwards. */
export async function idlesThrough(outage: Outage): Promise<void> {
  const worker = startWorker(outage);
  const rests = async (after: string) => {
    const isSo = () => worker.events.lastIndexOf('worker:idle') > worker.events.lastIndexOf('job:done');
    await within(until(isSo), `rest after the job ${after} the outage`, patienceMs);
  };
  try {
    await worker.runs('before');
    await rests('before');
    const span = await worker.meets(outage);
    await worker.runs('after');
    await rests('after');
    keepsItsWaits(worker.lines, performance.now() - span.fromMs);
    await worker.stop();
    expect(worker.ran.map(({ id }) => id)).toEqual(['before', 'after']);
  } finally {
    await worker.close();
  }
}

/** A worker of the outage's queues, and what comes of it. */
function startWorker(outage: Outage) {
  const { queues } = outage;
  const ran: Moment[] = [];
  const events: EventName[] = [];
  const openTold = () => {
    const opened = open(outage, ({ id, queue: name }) => {
      ran.push({ id, queue: name, atMs: performance.now() });
    });
    opened.queue.events.on('*', ({ event }) => void events.push(event));
    return opened;
  };
  const { queue, job, logger } = openTold();
  const stopping = new AbortController();
  const running = queue.worker({ queues }).run(stopping.signal);
  const awayTimes = () => events.filter((event) => event === 'worker:store-away').length;
  return {
    ran,
    events,
    lines: logger.lines,
    meets: async ({ happen }: Outage): Promise<Span> => {
      logger.lines.length = 0;
      const before = awayTimes();
      const noticed = () =>
        within(
          until(() => awayTimes() >= before + 2),
          'that the worker misses its store',
          patienceMs,
        );
      const fromMs = performance.now();
      await happen(noticed);
      return { fromMs, untilMs: performance.now() };
    },
    runs: async (id: string): Promise<void> => {
      const pushed = () => queue.push(job, null, { id, queue: queues[0] }).catch(() => undefined);
      while ((await pushed()) === undefined) await pause(20);
      await within(
        until(() => ran.some((one) => one.id === id)),
        `the job ${id} the outage`,
        patienceMs,
      );
    },
    /** From then on nobody holds any job: what the store took for a worker that waited is given back by the close. */
    stop: async (): Promise<void> => {
      stopping.abort();
      expect(await running).toBe('signal');
      await queue.close();
    },
    drain: async (): Promise<void> => {
      const { queue: rest } = openTold();
      try {
        for (const name of queues) await drain(rest, name);
      } finally {
        await rest.close();
      }
    },
    close: async (): Promise<void> => {
      stopping.abort();
      await running;
      await queue.close();
    },
  };
}

/** Works a queue until nothing is left in it. */
async function drain(queue: Queue, name: string): Promise<void> {
  for (;;) {
    await queue.worker({ queues: [name], stopWhenEmpty: true }).run();
    const { ready, delayed, reserved } = await queue.size(name);
    if (ready + delayed + reserved === 0) return;
    await pause(50); // a lease lapses
  }
}

function open({ driver }: Outage, handled: (job: Job) => void = () => {}) {
  const handle = async ({ job }: { readonly job: Job }): Promise<void> => {
    await pause(1);
    handled(job);
  };
  const job = defineJob({ name: 'job', tries: 0, handle });
  const logger = recordingLogger();
  const worker: WorkerOptions = { timeout: '5s', grace: '1s', concurrency: 4, sleep: '200ms' };
  const queue = createQueue({ connections: { default: driver() }, jobs: [job], worker, logger });
  return { queue, job, logger };
}

/** Pushes jobs that are due after the fault, and waits until the store may not forget them any more. */
async function pushEarly(outage: Outage): Promise<Push[]> {
  const { forgetsMs = 0, queues } = outage;
  const { queue: pusher, job } = open(outage);
  const pushed: Push[] = [];
  for (const queue of queues) {
    for (let count = 0; count < some; count += 1) {
      const fromMs = performance.now();
      const id = await pusher.push(job, null, { queue, delay: `${forgetsMs + 3000}ms` });
      pushed.push({ id, queue, fromMs, atMs: performance.now() });
    }
  }
  await pusher.close();
  await pause(forgetsMs);
  return pushed;
}

/** Pushes jobs one after the other until told to stop, slowly where many wait; answers those that were accepted. */
async function produce(
  outage: Outage,
  queue: string,
  signal: AbortSignal,
  ranSoFar: () => number,
): Promise<Push[]> {
  const { queue: pusher, job } = open(outage);
  const accepted: Push[] = [];
  for (let count = 0; !signal.aborted; count++) {
    const fromMs = performance.now();
    await pusher.push(job, null, { id: `${queue}-${count}`, queue }).then(
      (id) => accepted.push({ id, queue, fromMs, atMs: performance.now() }),
      () => pause(20),
    );
    await pause(accepted.length - ranSoFar() > 20 ? 50 : 5); // later queues of the worker have their turn
  }
  await pusher.close();
  return accepted;
}
