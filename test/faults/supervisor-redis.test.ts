import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CliProject } from '../support/cli.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { faultyProject, lineOf, startWorker } from './supervisor-project.js';

let redis: RedisServer;
let project: CliProject;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

beforeEach(async () => {
  await redis.client.flushall();
  project = faultyProject(undefined, redis.url);
});

afterEach(() => project.remove());

test('a blocked event loop: the job fails with its stack, the others end on their first attempt', async () => {
  for (let index = 0; index < 3; index++) await project.push('nap', null, { id: `nap-${index}` });
  await project.push('loops', null, { id: 'stuck' });
  const { lines } = await project.must('work', '--json', '--stop-when-empty', '--concurrency=4');
  const [row] = await (await project.queue()).failed.find(['stuck']);
  expect(row?.stack).toContain(lineOf('loops'));
  const done = lines.filter((line) => line.event === 'job:done');
  expect(done.map((line) => [line.id, line.attempts]).sort()).toEqual([
    ['nap-0', 1],
    ['nap-1', 1],
    ['nap-2', 1],
  ]);
});

test('a killed process: its running and its held jobs are given back at once, unspent', async () => {
  await project.push('waits', null, { id: 'victim' });
  for (let index = 0; index < 5; index++) await project.push('counts', null, { id: `held-${index}` });
  const { running, pid } = await startWorker(project, ['--max-jobs=6']);
  await running.line({ event: 'job:started', id: 'victim' });
  process.kill(pid, 'SIGKILL');
  await running.line({ event: 'job:given-back', id: 'victim' });
  project.write('go', '');
  const { code, lines } = await running.exited;
  expect(code).toBe(0);
  const done = lines.filter((line) => line.event === 'job:done');
  expect(done.map((line) => line.attempts)).toEqual([1, 1, 1, 1, 1, 1]);
});

test('what a process held that blocked goes on by itself: a hundred jobs unspent, and of the one to blame all that was pushed', async () => {
  const data = { text: 'x'.repeat(20_000) };
  await project.push('loops', data, { id: 'stuck' });
  for (let index = 0; index < 100; index++) await project.push('counts', null, { id: `held-${index}` });
  const { lines } = await project.must('work', '--json', '--stop-when-empty');
  const [row] = await (await project.queue()).failed.find(['stuck']);
  expect(JSON.parse(row?.payload ?? '')).toMatchObject({ job: 'loops', data, id: 'stuck' });
  const held = Array.from({ length: 100 }, (_, index) => `held-${index}`);
  const idsOf = (event: string) => lines.filter((line) => line.event === event).map(({ id }) => id);
  expect(idsOf('job:started')).toEqual(['stuck', ...held]);
  expect(idsOf('job:done').sort()).toEqual(held.sort()); // told as the store answers: two calls may be under way
  const done = lines.filter((line) => line.event === 'job:done');
  expect(new Set(done.map(({ attempts }) => attempts))).toEqual(new Set([1]));
  expect(await redis.keys()).not.toContainEqual(expect.stringContaining(':reserved'));
});

test('a store that is away for longer than --max-outage: exit 69', async () => {
  const server = await startRedis();
  const own = faultyProject(undefined, server.url);
  const { running } = await startWorker(own, ['--max-outage=500ms']);
  await server.stop();
  const { code, lines } = await running.exited;
  await own.remove();
  expect(code).toBe(69);
  expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'outage' });
});
