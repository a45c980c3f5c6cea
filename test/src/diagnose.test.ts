import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import {
  createQueue,
  defineJob,
  type Finding,
  type QueueConfig,
  type WorkerOptions,
} from '../../src/index.js';
import { faulty, storeAway } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { workOff } from '../support/recorder.js';

const job = defineJob({ name: 'job', handle() {} });
const mail = defineJob({ name: 'mail.send', queue: 'mail', handle() {} });
const broken = defineJob({ name: 'broken', tries: 1, handle: () => Promise.reject(new Error('boom')) });

function setUp(config: Partial<QueueConfig> = {}, connection: Parameters<typeof memory>[0] = {}) {
  const clock = manualClock();
  const driver = faulty(memory({ clock, ...connection }));
  const queue = createQueue({ connections: { main: driver }, jobs: [job, broken], clock, ...config });
  return { clock, driver, queue };
}

/** The findings of a check, in order. */
function of(check: string, findings: readonly Finding[]): Finding[] {
  return findings.filter((finding) => finding.check === check);
}

test('all is well', async () => {
  const { queue } = setUp();
  const findings = await queue.diagnose();
  expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual([
    'lease ok',
    'served ok',
    'store ok',
    'workers ok',
    'failed-jobs ok',
  ]);
});

describe('the lease', () => {
  test.each<[WorkerOptions, 'ok' | 'error']>([
    [{ timeout: '24s', grace: '5s' }, 'ok'],
    [{ timeout: '25s', grace: '5s' }, 'error'],
    [{ timeout: 0 }, 'ok'],
  ])('of 30 s with %j: %s', async (worker, status) => {
    const { queue } = setUp({ worker }, { lease: '30s' });
    const [finding] = of('lease', await queue.diagnose());
    expect(finding?.status).toBe(status);
    if (status === 'ok') return;
    expect(finding?.message).toMatch(/30 s .* 25 s .* 5 s/);
    expect(finding?.fix).toContain('lease above 30 s');
  });
});

describe('a queue that nobody serves', () => {
  test('is named with its jobs', async () => {
    const { queue } = setUp({ jobs: [job, mail] });
    const findings = await queue.diagnose();
    expect(of('served', findings)).toMatchObject([
      { status: 'warning', message: expect.stringMatching(/queue mail.*mail\.send/) },
    ]);
    expect(of('served', await queue.diagnose({ queues: ['default', 'mail'] }))).toMatchObject([
      { status: 'ok' },
    ]);
    const served = setUp({ jobs: [job, mail], worker: { queues: ['mail', 'default'] } });
    expect(of('served', await served.queue.diagnose())).toMatchObject([{ status: 'ok' }]);
  });

  test("also where it is the connection's own", async () => {
    const { queue } = setUp({ worker: { queues: ['mail'] } });
    expect(of('served', await queue.diagnose())).toMatchObject([
      { status: 'warning', message: expect.stringContaining('queue default') },
    ]);
  });
});

describe('jobs that wait', () => {
  test('without a worker that serves their queue, also in queues of jobs that nobody serves', async () => {
    const { queue, driver } = setUp({ jobs: [job, mail] });
    await queue.push(job);
    await queue.push(mail);
    await queue.push(mail, null, { delay: '1h' });
    const none = 'and no worker that serves it is on the list of those that live';
    const warnings = [
      {
        status: 'warning',
        message: `1 job of queue default waits, ${none}`,
        fix: 'Start one: drover queue:work --connection main --queue default',
      },
      { status: 'warning', message: `2 jobs of queue mail wait, ${none}` },
    ];
    expect(of('workers', await queue.diagnose())).toMatchObject(warnings);
    // That somebody holds one of them is no sign of life.
    await driver.store.reserve(['mail'], 1, 60_000);
    await driver.store.clear('default');
    expect(of('workers', await queue.diagnose())).toMatchObject([
      { status: 'warning', message: `1 job of queue mail waits, ${none}` },
    ]);
  });

  test.each([
    { who: 'one of another queue', serves: ['mail'], quietMs: 0, status: 'warning', says: 'no worker' },
    { who: 'one of it', serves: ['default'], quietMs: 0, status: 'ok', says: 'default 1/0/1' },
    {
      who: 'one that was heard of long ago',
      serves: ['default'],
      quietMs: 8000,
      status: 'warning',
      says: 'no worker',
    },
    {
      who: 'one whose list is cut',
      serves: Array(30).fill('x'),
      quietMs: 0,
      status: 'ok',
      says: 'default 1/0/1',
    },
  ])('and the list has $who: $status', async ({ serves, quietMs, status, says }) => {
    const { queue, driver, clock } = setUp();
    await queue.push(job);
    await queue.push(job);
    await driver.store.reserve(['default'], 1, 60_000);
    const about = JSON.stringify({ queues: serves, state: 'working', keepMs: 10_000 });
    await driver.store.workers?.beat({ id: 'w', about, keepMs: 10_000 });
    clock.advance(quietMs);
    expect(of('workers', await queue.diagnose())).toMatchObject([
      { status, message: expect.stringContaining(says) },
    ]);
  });

  test('while their worker runs none', async () => {
    const { queue, driver } = setUp();
    await queue.push(job);
    const about = JSON.stringify({ queues: ['default'], state: 'paused', keepMs: 10_000 });
    await driver.store.workers?.beat({ id: 'w', about, keepMs: 10_000 });
    expect(of('workers', await queue.diagnose())).toMatchObject([
      {
        status: 'warning',
        message: '1 job of queue default is ready, and none is being run',
        fix: 'See what its workers do: drover queue:workers --connection main',
      },
    ]);
  });

  test('in a store that keeps no list of workers, while none is being run', async () => {
    const { driver, clock } = setUp();
    const listless = {
      ...driver,
      connect: (context: Parameters<typeof driver.connect>[0]) =>
        Object.assign(Object.create(driver.connect(context)), { workers: undefined }),
    };
    const queue = createQueue({ connections: { main: listless }, jobs: [job], clock });
    await queue.push(job);
    await queue.push(job);
    expect(of('workers', await queue.diagnose())).toMatchObject([
      {
        status: 'warning',
        message: '2 jobs of queue default are ready, and none is being run',
        fix: expect.stringContaining('--queue default'),
      },
    ]);
    await driver.store.reserve(['default'], 1, 60_000);
    expect(of('workers', await queue.diagnose())).toMatchObject([{ status: 'ok' }]);
  });
});

describe('jobs that failed', () => {
  test('in the last 24 hours, and those that nobody knew', async () => {
    const { queue, clock } = setUp({ worker: { unknownJobPatience: 0, tries: 1 } });
    await queue.push(broken);
    await queue.push('nobody.knows');
    await workOff(queue);
    const findings = await queue.diagnose();
    expect(of('failed-jobs', findings)).toMatchObject([
      { status: 'warning', message: '2 jobs failed in the last 24 hours', fix: expect.any(String) },
    ]);
    expect(of('unknown-jobs', findings)).toMatchObject([
      { status: 'warning', message: expect.stringContaining('nobody.knows') },
    ]);
    clock.advance(86_400_001);
    const later = await queue.diagnose();
    expect(of('failed-jobs', later)).toMatchObject([{ status: 'ok' }]);
    expect(of('unknown-jobs', later)).toEqual([]);
  });

  test('where the config keeps no record of them', async () => {
    const { queue } = setUp({ failed: 'none' });
    expect(of('failed-jobs', await queue.diagnose())).toMatchObject([
      { status: 'ok', message: expect.stringContaining('keeps no record') },
    ]);
  });
});

describe('a store', () => {
  test('that cannot be asked is a finding, and nothing else is asked of it', async () => {
    const { driver, clock } = setUp();
    const asking = {
      ...driver,
      connect: (context: Parameters<typeof driver.connect>[0]) =>
        Object.assign(Object.create(driver.connect(context)), {
          diagnose: () => Promise.reject(storeAway()),
        }),
    };
    const queue = createQueue({ connections: { main: asking }, jobs: [job], clock });
    const findings = await queue.diagnose();
    expect(findings.at(-1)).toMatchObject({ check: 'store', status: 'error', message: 'the store is away' });
    expect(driver.faults.calls('size')).toBe(0);
  });

  test('whose tables are not as they must be is asked for no jobs: that could make or change them', async () => {
    const { driver, clock } = setUp();
    const old: Finding = { check: 'schema', status: 'warning', message: 'no tables yet', fix: 'migrate' };
    const asking = {
      ...driver,
      connect: (context: Parameters<typeof driver.connect>[0]) =>
        Object.assign(Object.create(driver.connect(context)), { diagnose: async () => [old] }),
    };
    const queue = createQueue({ connections: { main: asking }, jobs: [job], clock });
    expect((await queue.diagnose()).at(-1)).toEqual(old);
    expect(driver.faults.calls('size')).toBe(0);
  });

  test('without checks of its own that cannot be asked for its jobs', async () => {
    const { queue, driver } = setUp();
    driver.faults.refuse('size');
    expect((await queue.diagnose()).at(-1)).toMatchObject({ check: 'jobs', status: 'error' });
  });

  test('that stores nothing has nothing to look at', async () => {
    const queue = createQueue({ connections: { main: sync() } });
    expect(await queue.diagnose()).toMatchObject([{ check: 'store', status: 'ok' }]);
  });

  test('only that of its own connection is asked for failed jobs', async () => {
    const { driver, clock } = setUp();
    const other = faulty(memory({ clock }));
    const queue = createQueue({
      default: 'main',
      connections: { main: driver, other },
      jobs: [job],
      clock,
    });
    await queue.diagnose();
    expect(other.faults.calls('failedJobs.list')).toBe(0);
  });
});
