import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type Finding, type QueueConfig } from '../../src/index.js';
import { manualClock } from '../support/manual-clock.js';

const job = defineJob({ name: 'job', handle() {} });

/** A queue with a ready job, and a live worker that runs none. */
async function setUp(config: Partial<QueueConfig> = {}) {
  const clock = manualClock();
  const driver = memory({ clock });
  let connected: ReturnType<typeof driver.connect> | undefined;
  const kept = {
    ...driver,
    connect: (context: Parameters<typeof driver.connect>[0]) => {
      connected ??= driver.connect(context);
      return connected;
    },
  };
  const queue = createQueue({ connections: { main: kept }, jobs: [job], clock, ...config });
  await queue.push(job);
  const about = JSON.stringify({ queues: ['default'], state: 'paused', keepMs: 10_000 });
  await connected?.workers?.beat({ id: 'w', about, keepMs: 10_000 });
  return queue;
}

function notOk(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ status }) => status !== 'ok');
}

const since = expect.stringMatching(/paused since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

test('a paused connection is told of, and not that nobody runs its jobs', async () => {
  const queue = await setUp();
  await queue.pause();
  const fix = 'When its jobs may run again: drover queue:resume --connection main';
  expect(notOk(await queue.diagnose())).toEqual([
    { check: 'paused', status: 'warning', message: since, fix },
  ]);
  await queue.resume();
  expect(notOk(await queue.diagnose())).toMatchObject([{ check: 'workers' }]);
});

test('so is a paused queue, and of others what there is to tell', async () => {
  const queue = await setUp();
  await queue.pause('mail');
  const fix = 'When its jobs may run again: drover queue:resume mail --connection main';
  const paused = { check: 'paused', status: 'warning', message: since, fix };
  expect(notOk(await queue.diagnose())).toEqual([paused, expect.objectContaining({ check: 'workers' })]);
  await queue.pause('default');
  expect(notOk(await queue.diagnose())).toMatchObject([
    { check: 'paused', message: expect.stringMatching(/^queue default /) },
    { check: 'paused', message: expect.stringMatching(/^queue mail /) },
  ]);
});

test('that a paused queue has no worker at all is told beside', async () => {
  const queue = await setUp();
  await queue.push(job, null, { queue: 'mail' });
  await queue.pause('mail');
  const findings = notOk(await queue.diagnose({ queues: ['default', 'mail'] }));
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'workers',
      message: expect.stringContaining('job of queue mail waits, and no'),
    }),
  );
});

test('an application in maintenance is told of, and not that nobody runs its jobs', async () => {
  const queue = await setUp({ maintenance: () => true });
  const fix = 'End the maintenance of the application, or start workers with --force.';
  const message = 'the application says that it is in maintenance: workers take no jobs';
  expect(notOk(await queue.diagnose())).toEqual([{ check: 'maintenance', status: 'warning', message, fix }]);
});

test.each<[string, () => boolean | Promise<boolean>, RegExp]>([
  ['throws', () => Promise.reject(new Error('no such file')), /`maintenance` .* threw: no such file/],
  ['never answers', () => new Promise<boolean>(() => {}), /gave no answer within 1000 ms/],
])('an application that %s when asked is told of: workers may go on', async (_, maintenance, says) => {
  const queue = await setUp({ maintenance });
  expect(notOk(await queue.diagnose())).toMatchObject([
    {
      check: 'maintenance',
      status: 'warning',
      message: expect.stringMatching(says),
      fix: expect.any(String),
    },
    { check: 'workers' },
  ]);
});

test('one that is not in maintenance, or whose workers ignore it, has no finding', async () => {
  const asked = await setUp({ maintenance: () => false });
  expect(notOk(await asked.diagnose())).toMatchObject([{ check: 'workers' }]);
  const forced = await setUp({ maintenance: () => true, worker: { force: true } });
  expect(notOk(await forced.diagnose())).toMatchObject([{ check: 'workers' }]);
});
