import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type CliProject, isAlive, type Line } from '../support/cli.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { faultyProject } from './supervisor-project.js';

/** `quick` and `slow` on one store, `far` on a connection of its own. */
const groups = `
  quick: { queues: ['quick'], workers: 2, concurrency: 2 },
  slow: { queues: ['slow'], timeout: '10s' },
  far: { connection: 'far', queues: ['far'] },`;

let project: CliProject;

afterEach(() => project.remove());

function projectOf(supervisors: string, redisUrl?: string): CliProject {
  const made = faultyProject("timeout: '600ms', grace: '400ms'", redisUrl);
  const far = "(await import('drover/drivers/database')).database('sqlite:./far.sqlite')";
  const text = made
    .read('drover.config.mjs')
    .replace(
      'connections: { ',
      `supervisors: { ${supervisors} }, default: 'default', connections: { far: ${far}, `,
    );
  made.write('drover.config.mjs', text);
  return made;
}

/** Starts the command and answers it with the pids of its worker processes by group, once there are so many. */
async function startGroups(words: readonly string[], count: number) {
  const running = project.start(['queue:supervise', '--json', ...words]);
  const workers = new Map<string, number[]>();
  for (const { group, pid } of await running.linesOf({ event: 'worker:started' }, count)) {
    workers.set(String(group), [...(workers.get(String(group)) ?? []), Number(pid)]);
  }
  return { running, workers };
}

const eventsOf = (lines: readonly Line[], event: string) => lines.filter((line) => line.event === event);

describe.each(['sqlite', 'redis'])('groups on %s', (store) => {
  let redis: RedisServer | undefined;

  beforeAll(async () => {
    if (store === 'redis') redis = await startRedis();
  });

  afterAll(() => redis?.stop());

  test('each has its processes; a killed one is replaced in its group; a stop drains all', async () => {
    project = projectOf(groups, redis?.url);
    const { running, workers } = await startGroups(['slow', 'quick'], 3);
    expect([...workers].map(([group, pids]) => [group, pids.length]).sort()).toEqual([
      ['quick', 2],
      ['slow', 1],
    ]);
    expect(running.lines[0]).toMatchObject({
      event: 'supervisor:started',
      groups: [
        { name: 'quick', workers: 2, queues: ['quick'], connection: 'default' },
        { name: 'slow', workers: 1, queues: ['slow'], connection: 'default' },
      ],
    });

    await project.push('waits', null, { id: 'victim', queue: 'slow' });
    await running.line({ event: 'job:started', id: 'victim', group: 'slow' });
    const [pid = 0] = workers.get('slow') ?? [];
    process.kill(pid, 'SIGKILL');
    expect(await running.line({ event: 'worker:replaced', pid })).toMatchObject({
      group: 'slow',
      replaced: 1,
    });
    await running.line({ event: 'job:given-back', id: 'victim', group: 'slow' });
    await running.linesOf({ event: 'job:started', id: 'victim', group: 'slow' }, 2);

    await project.push('waits', null, { id: 'beside', queue: 'quick' });
    await running.line({ event: 'job:started', id: 'beside', group: 'quick' });
    running.kill('SIGTERM');
    await running.says('SIGTERM: no new jobs');
    project.write('go', '');
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    expect(
      eventsOf(lines, 'job:done')
        .map(({ id, group, attempts }) => [id, group, attempts])
        .sort(),
    ).toEqual([
      ['beside', 'quick', 1],
      ['victim', 'slow', 1],
    ]);
    expect(eventsOf(lines, 'worker:replaced')).toHaveLength(1);
    for (const { pid: started } of eventsOf(lines, 'worker:started'))
      expect(isAlive(Number(started))).toBe(false);
  });
});

test('a restart of one connection ends all groups: exit 0', async () => {
  project = projectOf(groups);
  const { running } = await startGroups([], 4);
  await project.must('queue:restart', 'far');
  const { code, lines, stderr } = await running.exited;
  expect(code).toBe(0);
  const reasons = eventsOf(lines, 'worker:stopped').map(({ group, reason }) => [group, reason]);
  expect(reasons.sort()).toEqual([
    ['far', 'restart'],
    ['quick', 'signal'],
    ['quick', 'signal'],
    ['slow', 'signal'],
  ]);
  expect(stderr).toContain('restart (group far)');
  expect(eventsOf(lines, 'worker:replaced')).toEqual([]);
});

test('one process at a limit of its group drains and is replaced, and the command goes on', async () => {
  project = projectOf(`
    jobs: { queues: ['jobs'], maxJobs: 2, concurrency: 2 },
    time: { queues: ['time'], maxTime: '1500ms' },
    memory: { queues: ['memory'], memory: 300, concurrency: 2, timeout: 0 },`);
  const { running } = await startGroups([], 3);
  await project.push('waits', null, { id: 'long', queue: 'jobs' });
  await project.push('counts', null, { id: 'short', queue: 'jobs' });
  await project.push('waits', null, { id: 'beside', queue: 'memory' });
  await running.line({ event: 'job:started', id: 'beside' });
  await project.push('grows', null, { id: 'large', queue: 'memory' });
  await running.line({ event: 'job:done', id: 'short' });
  await running.line({ event: 'job:done', id: 'large' });
  const early = eventsOf(running.lines, 'worker:replaced').map(({ group }) => group);
  expect(early).not.toContain('jobs'); // they have jobs that run
  expect(early).not.toContain('memory');
  project.write('go', '');
  await running.line({ event: 'worker:replaced', group: 'jobs', reason: 'max-jobs', replaced: 1 });
  await running.line({ event: 'worker:replaced', group: 'memory', reason: 'memory', replaced: 1 });
  await running.line({ event: 'worker:replaced', group: 'time', reason: 'max-time', replaced: 1 });
  for (const queue of ['jobs', 'memory']) await project.push('counts', null, { id: `more-${queue}`, queue });
  await running.line({ event: 'job:done', id: 'more-jobs' });
  await running.line({ event: 'job:done', id: 'more-memory' });
  running.kill('SIGINT');
  const { code, lines } = await running.exited;
  expect(code).toBe(0);
  const done = eventsOf(lines, 'job:done').map(({ id, attempts }) => [id, attempts]);
  expect(done.sort()).toEqual(
    ['beside', 'large', 'long', 'more-jobs', 'more-memory', 'short'].map((id) => [id, 1]),
  );
});

test('SIGUSR2 pauses all groups, SIGCONT lets them go on; a second signal ends all at once', async () => {
  project = projectOf("one: { queues: ['one'] }, two: { queues: ['two'], timeout: 0 }");
  const { running, workers } = await startGroups([], 2);
  running.kill('SIGUSR2');
  await expect.poll(() => running.stderr.match(/paused: no new jobs/g)?.length).toBe(2);
  await project.push('counts', null, { id: 'patient', queue: 'one' });
  await project.push('waits', null, { id: 'cut', queue: 'two' });
  await new Promise((resolve) => setTimeout(resolve, 300)); // workers that go on would have taken them
  expect(eventsOf(running.lines, 'job:started')).toEqual([]);
  running.kill('SIGCONT');
  await running.line({ event: 'job:done', id: 'patient', group: 'one' });
  await running.line({ event: 'job:started', id: 'cut', group: 'two' });
  running.kill('SIGTERM');
  await running.says('SIGTERM: no new jobs');
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(143);
  for (const pid of [...workers.values()].flat()) await expect.poll(() => isAlive(pid)).toBe(false);
});

test('a group whose workers cannot start ends the command, also while the others work: exit 2', async () => {
  project = projectOf("good: { queues: ['good'] }, bad: { connection: 'inline' }");
  const config = project.read('drover.config.mjs');
  const inline = "inline: (await import('drover/drivers/sync')).sync(), far:";
  project.write('drover.config.mjs', config.replace('far:', inline));
  const { code, lines, stderr } = await project.run('queue:supervise', '--json');
  expect(code).toBe(2);
  expect(stderr).toContain('E_INLINE_CONNECTION');
  expect(eventsOf(lines, 'worker:replaced')).toEqual([]);
});

test('lines for people begin with the group; a group that is done ends alone', async () => {
  project = projectOf(
    "done: { queues: ['done'], stopWhenEmpty: true, sleep: '10ms' }, 'also-done': { queues: ['x'], stopWhenEmpty: true, sleep: 0.01 }",
  );
  await project.push('counts', null, { id: 'last', queue: 'done' });
  const { stdout, stderr } = await project.must('queue:supervise');
  expect(stdout).toMatch(/^done \| \d{4}-\S+ \S+ {2}done {6}counts {2}last {2}queue=done attempt=1/);
  expect(stderr).toMatch(
    /^\d{4}-.* info {3}groups of worker processes: done \(1\), also-done \(1\) \(pid \d+\)\n/,
  );
  expect(stderr).toMatch(/^also-done \| \d{4}-.*stopped: empty$/m);
});

test('--list prints the groups; names that are none are refused with what was meant', async () => {
  project = projectOf(groups);
  const { stdout } = await project.must('queue:supervise', '--list');
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['group', 'connection', 'queues', 'workers', 'concurrency'],
    ['quick', 'default', 'quick', expect.stringMatching(/^ *2$/), expect.stringMatching(/^ *2$/)],
    ['slow', 'default', 'slow', '1', '1'],
    ['far', 'far', 'far', '1', '1'],
    [''],
  ]);
  const { lines } = await project.must('queue:supervise', '--list', '--json', 'far');
  expect(lines).toEqual([
    { group: 'far', connection: 'far', queues: ['far'], workers: 1, concurrency: 1, maxJobs: 0, memory: 0 },
  ]);
  for (const word of ['qick', '--qiuck']) {
    const { code, stderr } = await project.run('queue:supervise', word);
    expect(code).toBe(2);
    if (word === 'qick') expect(stderr).toContain('Did you mean quick?');
  }
});
