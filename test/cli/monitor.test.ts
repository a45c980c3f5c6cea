import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CliProject } from '../support/cli.js';
import { sqliteProject } from './project.js';

let project: CliProject;

beforeAll(async () => {
  project = sqliteProject();
  for (let count = 0; count < 3; count++) await project.push('ok');
  await project.push('ok', null, { queue: 'slow', delay: '1h' });
});

afterAll(() => project.remove());

describe('queue:monitor', () => {
  test('exit 0 while every queue is within --max, 1 where one is above it', async () => {
    const within = await project.run('queue:monitor', 'default', 'slow', '--max', '3');
    expect(within.code).toBe(0);
    expect(within.stdout.replace(/[\d.]+ (?:ms|s|min)/, 'WAIT').replaceAll(/ +/g, ' ')).toBe(
      'queue ready delayed reserved waiting state\ndefault 3 0 0 WAIT ok\nslow 0 1 0 ok\n',
    );
    const above = await project.run('monitor', '--max=2');
    expect(above.code).toBe(1);
    expect(above.stdout).toMatch(/default +3 +0 +0 .* above 2\n/);
  });

  test('--json: an object for each queue', async () => {
    const { code, lines } = await project.run('monitor', 'default', 'slow', '--max', '2', '--json');
    const time = expect.any(String);
    const own = { connection: 'main', max: 2, reserved: 0, time };
    expect(code).toBe(1);
    expect(lines).toEqual([
      { ...own, queue: 'default', ready: 3, delayed: 0, longestWaitMs: expect.any(Number), busy: true },
      { ...own, queue: 'slow', ready: 0, delayed: 1, busy: false },
    ]);
  });

  test('--every: looks again until a signal; the exit code is that of the last look', async () => {
    const watch = project.start(['monitor', 'watched', '--every', '100ms', '--max', '0', '--json']);
    await watch.line({ queue: 'watched', busy: false });
    await project.push('ok', null, { queue: 'watched' });
    await watch.line({ queue: 'watched', busy: true });
    watch.kill('SIGTERM');
    expect(await watch.exited).toMatchObject({ code: 1, signal: null });
  });

  test.each([
    [['--max', 'many'], '--max'],
    [['--every', '1ms'], '--every'],
    [['a b'], 'a b'],
  ])('%j: exit 2', async (words, named) => {
    const { code, stderr } = await project.run('monitor', ...words);
    expect(code).toBe(2);
    expect(stderr).toContain(named);
  });
});
