import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CliProject, Line, RunningCli } from '../support/cli.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { controlsProject, startOne, workersWhen } from './controls-project.js';

let redis: RedisServer;
let project: CliProject;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());
afterEach(() => project.remove());

async function untilEmpty(of: CliProject, name: string): Promise<void> {
  for (let size = await of.size(name); size.ready + size.reserved > 0; size = await of.size(name))
    await pause(10);
}

async function end(running: RunningCli): Promise<void> {
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
}

describe.each(['sqlite', 'redis'])('on %s', (store) => {
  beforeEach(async () => {
    await redis.client.flushall();
    project = controlsProject(store === 'redis' ? redis.url : undefined);
  });

  test('a pause reaches two workers and those that start later; pushes go on; a resume ends it', async () => {
    const flags = ['--queue=mail,default'];
    const two = await Promise.all([startOne(project, ...flags), startOne(project, ...flags)]);
    const { lines } = await project.must('queue:pause', 'mail', '--json');
    const paused = { all: null, queues: [{ queue: 'mail', since: expect.any(String) }] };
    expect(lines).toEqual([{ connection: 'default', paused }]);
    const fromMs = performance.now();
    for (const worker of two) {
      expect(await worker.line({ event: 'worker:paused' })).toMatchObject({
        pid: worker.process.pid,
        queues: ['mail', 'default'],
        paused: ['mail'],
        maintenance: false,
      });
    }
    console.log(
      `${store}: both workers heard of the pause ${Math.round(performance.now() - fromMs)} ms after it`,
    );
    const later = await startOne(project, ...flags);
    await later.line({ event: 'worker:paused' });

    const mails = await (await project.queue()).bulk('quick', Array(20).fill(null), { queue: 'mail' });
    const other = await project.push('quick');
    await Promise.any([...two, later].map((worker) => worker.line({ event: 'job:done', id: other })));
    expect(await project.size('mail')).toEqual({ ready: 20, delayed: 0, reserved: 0 });
    expect((await project.must('queue:size', 'mail', 'default')).stdout).toMatch(
      /state\nmail .* paused\ndefault .*0$/m,
    );
    expect((await project.must('queue:size', 'mail', '--json')).lines).toMatchObject([
      { ready: 20, paused: true },
    ]);

    expect((await project.must('queue:resume', 'mail')).stdout).toContain('nothing');
    await untilEmpty(project, 'mail');
    const done: Line[] = [];
    for (const worker of [...two, later]) {
      worker.kill('SIGTERM');
      const { code, lines } = await worker.exited;
      expect(code).toBe(0);
      expect(lines.filter(({ event }) => event === 'worker:paused')).toHaveLength(1);
      done.push(...lines.filter(({ event }) => event === 'job:done'));
    }
    expect(done.map(({ id }) => id).sort()).toEqual([...mails, other].sort());
    expect(new Set(done.map(({ attempts }) => attempts))).toEqual(new Set([1]));
  });

  test('a pause of the connection while jobs are fetched ahead runs none of those that are held', async () => {
    const queue = await project.queue();
    await queue.bulk('quick', Array(3000).fill(null));
    const worker = await startOne(project);
    await worker.line({ event: 'job:done' });
    await queue.pause();
    await worker.line({ event: 'worker:paused' });
    await workersWhen(project, ([first]) => first?.state === 'paused' && first.running === 0);
    const { ready, delayed, reserved } = await queue.size();
    worker.kill('SIGTERM');
    const { lines } = await worker.exited;
    const at = lines.findIndex(({ event }) => event === 'worker:paused');
    const startedAfter = lines.slice(at).filter(({ event }) => event === 'job:started').length;
    const done = lines.filter(({ event }) => event === 'job:done').length;
    console.log(`${store}: ${done} done, ${startedAfter} started after the pause, ${ready} ready`);
    expect({ startedAfter, delayed, reserved }).toEqual({ startedAfter: 0, delayed: 0, reserved: 0 });
    expect(done + ready).toBe(3000);
    expect(ready).toBeGreaterThan(0);
    expect(await queue.size()).toEqual({ ready, delayed: 0, reserved: 0 });
  });

  test('queue:workers lists two workers; one that is killed is soon off the list', async () => {
    const [boss, other] = await Promise.all([
      startOne(project, '--name=boss', '--queue=mail,default', '--concurrency=2'),
      startOne(project),
    ]);
    const id = await project.push('waits', null, { queue: 'mail' });
    await boss.line({ event: 'job:started', id, worker: 'boss' });
    await workersWhen(project, (all) => all.length === 2 && all.some(({ running }) => running === 1));
    const { lines: workers } = await project.must('queue:workers', '--json');
    expect(workers.find(({ name }) => name === 'boss')).toMatchObject({
      connection: 'default',
      pid: boss.process.pid,
      state: 'working',
      queues: ['mail', 'default'],
      concurrency: 2,
      running: 1,
      jobs: [{ id, name: 'waits', queue: 'mail' }],
    });
    expect(workers.find(({ name }) => name !== 'boss')).toMatchObject({
      pid: other.process.pid,
      state: 'idle',
    });
    const { stdout } = await project.must('queue:workers');
    expect(stdout).toMatch(/^name +host +pid +state +since +running +done +failed +MiB +queues$/m);
    expect(stdout).toMatch(/^boss .* working .* 1\/2 .* mail,default$/m);

    boss.kill('SIGKILL');
    const fromMs = performance.now();
    const left = await workersWhen(project, (all) => all.length === 1);
    console.log(`${store}: off the list ${Math.round(performance.now() - fromMs)} ms after kill -9`);
    expect(left).toMatchObject([{ pid: other.process.pid, state: 'idle' }]);
    await end(other);
    expect((await project.must('queue:workers')).stdout).toBe('no workers on connection default\n');
  });
});

describe('on sqlite', () => {
  beforeEach(() => {
    project = controlsProject();
  });

  test.each(['--once', '--stop-when-empty'])(
    '%s stops at a paused queue as if it were empty, and says so',
    async (flag) => {
      await project.push('quick');
      await project.must('queue:pause');
      const { stdout, stderr } = await project.must('work', flag);
      expect(stdout).toBe('');
      expect(stderr).toContain('queue default is paused: takes no jobs there');
      expect(stderr).toContain('stopped: empty (queue default is paused)');
      const { lines } = await project.must('work', flag, '--json');
      expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'empty', paused: ['default'] });
      expect(await project.size()).toMatchObject({ ready: 1 });
    },
  );

  test('maintenance keeps workers from jobs while it lasts, but not those with --force', async () => {
    project.write('down', '');
    const id = await project.push('quick');
    const worker = await startOne(project);
    expect(await worker.line({ event: 'worker:paused' })).toMatchObject({ paused: [], maintenance: true });
    const { stderr } = await project.must('work', '--once');
    expect(stderr).toContain('stopped: empty (the application is in maintenance)');
    expect((await project.must('work', '--once', '--force')).stdout).toContain(`done      quick  ${id}`);
    const next = await project.push('quick');
    rmSync(project.path('down'));
    await worker.line({ event: 'job:done', id: next });
    await end(worker);
  });

  test('queue:listen starts no process for a paused queue, and goes on when it is resumed', async () => {
    await project.must('queue:pause');
    const id = await project.push('quick');
    const listener = project.start(['listen', '--json', '--rest=10ms', '--sleep=1h']);
    await listener.line({ event: 'listener:paused' });
    expect(await project.size()).toMatchObject({ ready: 1 });
    await project.must('queue:resume');
    await listener.line({ event: 'job:done', id });
    listener.kill('SIGTERM');
    const { code, lines } = await listener.exited;
    expect(code).toBe(0);
    expect(lines.map(({ event }) => event)).toEqual([
      'listener:started',
      'listener:paused',
      'listener:resumed',
      'job:started',
      'job:done',
      'listener:stopped',
    ]);
  });

  test('with a supervisor: pause, list and name reach its worker processes', async () => {
    const running = project.start(['work', '--json', '--workers=2', '--name=pair']);
    const workers = await workersWhen(project, (all) => all.length === 2);
    expect(workers.map(({ name }) => name)).toEqual(['pair', 'pair']);
    await project.must('queue:pause');
    await workersWhen(project, (all) => all.every(({ state }) => state === 'paused'));
    await project.must('queue:restart');
    expect((await running.exited).code).toBe(0);
    expect((await project.must('queue:workers', '--json')).lines).toEqual([]);
  });

  test('sync has neither: exit 2 with what it lacks', async () => {
    project.write(
      'drover.config.mjs',
      `import { sync } from 'drover/drivers/sync';
       export default { connections: { default: sync() } };`,
    );
    for (const [command, lacks] of [
      ['queue:pause', 'carries no pauses'],
      ['queue:workers', 'keeps no list of workers'],
    ] as const) {
      const { code, stderr } = await project.run(command);
      expect({ code, says: stderr.includes(lacks) }).toEqual({ code: 2, says: true });
    }
  });
});
