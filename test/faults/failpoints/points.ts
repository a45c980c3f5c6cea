import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { database } from '../../../drivers/database/index.js';
import { redis } from '../../../drivers/redis/index.js';
import {
  createQueue,
  type Driver,
  defineJob,
  type Job,
  type Queue,
  silentLogger,
  systemClock,
} from '../../../src/index.js';

/** A place between two operations on the store at which a worker, a producer or an operator may die. */
interface Failpoint {
  readonly name: string;
  /** Of the connector: the process dies before a request of it, or after its answer. `handler` is that of the job. */
  readonly verb: string;
  /** What the dying process does. */
  readonly scenario: 'push' | 'work' | 'throw' | 'release' | 'stop' | 'retry' | 'migrate';
  /** Jobs that are pushed before, due at one moment. Default: one job, due at once. */
  readonly delayed?: number;
  /** Of the job: default 3. */
  readonly tries?: number;
  readonly maxExceptions?: number;
  /** What becomes of each job in the end. */
  readonly end: 'done' | 'failed';
  /** How often each job may have been started, by the dead and the living. */
  readonly mostStarts: number;
}

/** Each place at which a process may die with a job, and what must come of it. */
export const failpoints: readonly Failpoint[] = [
  { name: 'push', verb: 'push', scenario: 'push', end: 'done', mostStarts: 1 },
  { name: 'reserve', verb: 'reserve', scenario: 'work', end: 'done', mostStarts: 2 },
  {
    name: 'reserve of due jobs in batches',
    verb: 'reserve',
    scenario: 'work',
    delayed: 1500,
    end: 'done',
    mostStarts: 2,
  },
  { name: 'run', verb: 'handler', scenario: 'work', end: 'done', mostStarts: 2 },
  { name: 'delete', verb: 'delete', scenario: 'work', end: 'done', mostStarts: 2 },
  { name: 'release of an error', verb: 'release', scenario: 'throw', end: 'done', mostStarts: 2 },
  {
    name: 'release of an error that counts',
    verb: 'releaseThrown',
    scenario: 'throw',
    maxExceptions: 2,
    end: 'done',
    mostStarts: 2,
  },
  { name: 'release by the handler', verb: 'release', scenario: 'release', end: 'done', mostStarts: 2 },
  { name: 'unreserve', verb: 'unreserve', scenario: 'stop', end: 'done', mostStarts: 1 },
  { name: 'fail', verb: 'fail', scenario: 'throw', tries: 1, end: 'failed', mostStarts: 2 },
  { name: 'retry', verb: 'failedJobs.retry', scenario: 'retry', tries: 1, end: 'done', mostStarts: 2 },
  { name: 'migrate', verb: 'migrate', scenario: 'migrate', end: 'done', mostStarts: 1 },
];

/** Where the dying process dies: before a request of the verb, by its number, or after the verb's answer. */
export type Moment = number | 'after';

/** A store that both the dying process and the test can reach. */
export interface FailpointStore {
  readonly kind: 'redis' | 'sqlite' | 'mariadb' | 'postgres';
  /** Options of the driver, for a place in the store that is empty. */
  options(): { readonly url: string; readonly prefix?: string };
}

/** On the command line of child.mjs. */
interface ChildOrder {
  readonly store: { readonly kind: FailpointStore['kind']; readonly options: object };
  readonly verb: string;
  readonly request: Moment;
  readonly scenario: Failpoint['scenario'];
  readonly worker: object;
  readonly log: string;
}

const worker = { timeout: '300ms', grace: '100ms', sleep: '50ms', shutdownTimeout: '1s' } as const;
const lease = '800ms' as const;

/**
 * Has a process die at a moment of a point, and looks whether the job comes to its end with the next one. Answers false
 * where the verb has fewer requests, so that the process did not die.
 */
export async function dieAt(point: Failpoint, moment: Moment, store: FailpointStore): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-failpoint-'));
  const options = { ...store.options(), lease };
  const driver = store.kind === 'redis' ? redis(options) : database(options);
  const log = join(folder, 'log');
  let isFailing = point.scenario === 'retry';
  const lines: string[] = [];
  const handle = ({ job }: { readonly job: Job }): void => {
    lines.push(`started ${job.id}`);
    if (isFailing || point.end === 'failed') throw new Error('boom');
    lines.push(`finished ${job.id}`);
  };
  const jobs = [defineJob({ name: 'job', handle, backoff: 0 })];
  const queue = createQueue({ connections: { default: driver }, jobs, worker });
  try {
    const ids = await pushBefore(point, queue);
    if (isFailing) await queue.worker({ maxJobs: 1 }).run();
    isFailing = false;
    const { kind } = store;
    const { verb, scenario } = point;
    const signal = await runChild({ store: { kind, options }, verb, request: moment, scenario, worker, log });
    await recover(point, queue, driver);
    if (existsSync(log)) lines.push(...readFileSync(log, 'utf8').split('\n'));
    const failed = await queue.failed.list();
    expect(failed.length, 'failed jobs').toBe(point.end === 'failed' ? 1 : 0);
    const counts = new Map<string, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    for (const id of ids) {
      const count = (event: string) => counts.get(`${event} ${id}`) ?? 0;
      if (point.end === 'done') expect(count('finished'), `ends of ${id}`).toBeGreaterThan(0);
      expect(count('started'), `starts of ${id}`).toBeLessThanOrEqual(point.mostStarts);
    }
    return signal === 'SIGKILL';
  } finally {
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The jobs that are there before the process dies, or come after it; answers their ids. */
async function pushBefore(point: Failpoint, queue: Queue): Promise<readonly string[]> {
  const { scenario, delayed = 0, tries = 3, maxExceptions = 0 } = point;
  if (delayed > 0) return await queue.bulk('job', Array(delayed).fill(null), { delay: '1ms' });
  if (!['push', 'migrate'].includes(scenario))
    await queue.push('job', null, { id: 'one', tries, maxExceptions });
  return ['one'];
}

/** Does what whoever comes next does, and works off what is there. */
async function recover(point: Failpoint, queue: Queue, driver: Driver): Promise<void> {
  if (point.scenario === 'migrate') {
    const context = {
      connection: 'default',
      clock: systemClock,
      logger: silentLogger,
      runInline: async () => {},
    };
    const connector = driver.connect(context);
    await connector.migrate?.();
    expect(await connector.migrate?.(), 'a second migration').toEqual([]);
    await connector.close();
  }
  if (['push', 'migrate'].includes(point.scenario)) {
    await queue.push('job', null, { id: 'one' });
    expect((await queue.size()).ready, 'copies of the job').toBe(1);
  }
  if (point.scenario === 'retry') {
    const failed = await queue.failed.list();
    expect(failed.length + (await queue.size()).ready, 'places that have the job').toBe(1);
    await queue.failed.retry(failed);
  }
  for (;;) {
    await queue.worker({ stopWhenEmpty: true }).run();
    const { ready, delayed, reserved } = await queue.size();
    if (ready + delayed + reserved === 0) return;
    await sleep(50); // the lease of the dead lapses
  }
}

async function runChild(order: ChildOrder): Promise<NodeJS.Signals | null> {
  const words = [join(import.meta.dirname, 'child.mjs'), JSON.stringify(order)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  expect([code, signal], said).toSatisfy(() => code === 0 || signal === 'SIGKILL');
  return signal;
}

/** A prefix that no other test has. */
export function ownPrefix(): string {
  return `f${randomBytes(4).toString('hex')}_`;
}
