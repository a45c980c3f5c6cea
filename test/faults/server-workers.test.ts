import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Internals } from '../../drivers/database/connect.js';
import { connectDatabase } from '../../drivers/database/connect.js';
import { readOptions } from '../../drivers/database/settings.js';
import { createQueue, type Driver, defineJob, type Queue } from '../../src/index.js';
import { populate } from '../support/populated-jobs.js';
import { recordingLogger } from '../support/recorder.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';
import { inTier } from '../support/tier.js';

const workerCount = 24;
const jobCount = 1_200;

const ways = inTier<readonly [string, ServerName, Internals]>(
  [
    ['MariaDB', 'mariadb', {}],
    ['PostgreSQL', 'postgres', {}],
  ],
  [['MariaDB without SKIP LOCKED', 'mariadb', { skipLocked: false }]],
);

describe.each(ways)('%s', (_, kind, internals) => {
  const sandbox = new ServerSandbox(kind);
  const queues: Queue[] = [];
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    await sandbox.clean();
  });

  test(`${workerCount} workers drain a populated table, without a deadlock`, {
    timeout: 120_000,
  }, async () => {
    const logger = recordingLogger();
    const runs = new Map<string, number>();
    // One of ten is tried again: releases move among the deletes.
    const record = defineJob<{ n: number }>({
      name: 'record',
      backoff: 0,
      handle: ({ job, data }) => {
        runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
        if (data.n % 10 === 0 && job.attempts() === 1) job.release(0);
      },
    });
    const settings = readOptions({ url: sandbox.url });
    const driver: Driver = {
      driver: 'database',
      settings: { queue: 'mail', leaseMs: 90_000 },
      connect: (context) => connectDatabase(settings, context, internals),
    };
    const open = (): Queue => {
      const queue = createQueue({ connections: { default: driver }, jobs: [record], logger });
      queues.push(queue);
      return queue;
    };
    const producer = open();
    await producer.migrate();
    await populate(sandbox, { due: 0, delayed: 100_000, others: 20_000 });
    const data = Array.from({ length: jobCount }, (_, n) => ({ n }));
    const ids = await producer.bulk(record, data);
    await Promise.all(
      Array.from({ length: workerCount }, (_, index) =>
        open()
          .worker({ stopWhenEmpty: true, sleep: 0.05, concurrency: 1 + (index % 3) })
          .run(),
      ),
    );

    expect([...runs.keys()].sort()).toEqual([...ids].sort());
    expect(Math.max(...runs.values())).toBe(2);
    expect([...runs.values()].filter((count) => count === 2)).toHaveLength(jobCount / 10);
    expect(await producer.size('mail')).toEqual({ ready: 0, delayed: 100_000, reserved: 0 });
    expect(logger.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    expect(sandbox.deadlocks()).toEqual([]);
  });
});
