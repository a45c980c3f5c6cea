import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { createQueue, defineJob, type Logger } from '../../src/index.js';
import { type PhpJob, PhpTable } from '../support/php-tables.js';
import { ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('mariadb');
beforeAll(async () => {
  await sandbox.make();
});
afterAll(() => sandbox.clean());

const jobs = 5000;
/** In seconds: what PHP leaves behind after a deadlock of its own comes back soon. */
const retryAfter = 5;

describe.each(['think-3'] as const)('two workers here and two of %s on one table', (wire) => {
  test('every job runs, and no deadlock shows', async () => {
    const ran = new Map<string, number>();
    const note = (key: unknown) => ran.set(String(key), (ran.get(String(key)) ?? 0) + 1);
    const shown: string[] = [];
    const heard = (fields: { readonly err?: unknown }, message: string) =>
      void shown.push(`${message}: ${fields.err}`);
    const logger: Logger = { debug: () => {}, info: () => {}, warn: heard, error: heard };
    const newQueue = () =>
      createQueue({
        connections: { database: database({ url: sandbox.url, wire, lease: retryAfter, queue: 'q' }) },
        jobs: [defineJob({ name: 'demo', handle: (data: number) => note(data) })],
        logger,
        worker: { timeout: '1s', grace: '1s', concurrency: 8 },
      });
    const queues = [newQueue(), newQueue()];
    const phps = [1, 2].map(() => new PhpTable(sandbox.url, wire, { retryAfter }));
    const [queue] = queues as [ReturnType<typeof newQueue>];
    const [php] = phps as [PhpTable];
    await queue.migrate();
    await queue.bulk(
      'demo',
      Array.from({ length: 500 }, (_, index) => index),
    );
    const payloads = Array.from({ length: jobs - 500 }, (_, index) => `{"job":"demo","data":${index + 500}}`);
    await php.bulk(payloads, 'q');

    let deadlocks = 0;
    let left = 0;
    const stop = new AbortController();
    const isDeadlock = (error: unknown): boolean => {
      if ((error as { errno?: number }).errno !== 1213) throw error;
      deadlocks += 1;
      return true;
    };
    /** PHP has no retries: a deadlock at a pop is reported, one at a delete leaves the job reserved. */
    async function workAsPhp(worker: PhpTable): Promise<void> {
      while (!stop.signal.aborted) {
        const job = await worker.pop('q').catch((error: unknown): null => (isDeadlock(error) ? null : null));
        if (job === null) continue;
        note(JSON.parse((job as PhpJob).raw).data);
        await job.delete().catch((error: unknown) => {
          isDeadlock(error);
          left += 1;
        });
      }
    }
    const working = [...queues.map((one) => one.worker().run(stop.signal)), ...phps.map(workAsPhp)];
    const whenEmpty = async () => {
      for (;;) {
        const [row] = await sandbox.sql('SELECT COUNT(*) AS rest FROM jobs');
        if (Number(row?.rest) === 0) return;
        await Promise.race([...working, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
    };
    await whenEmpty();
    stop.abort();
    await Promise.all(working);
    await Promise.all([...queues, ...phps].map((one) => one.close()));

    expect(ran.size).toBe(jobs);
    expect(shown).toEqual([]);
    const twice = [...ran.values()].filter((times) => times > 1).length;
    expect(twice).toBeLessThanOrEqual(left);
    console.log({ deadlocks, left, twice, logged: sandbox.deadlocks().length });
  });
});
