import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, restartKey, signalRestart } from '../../src/index.js';
import { thinkFileCache } from '../../src/think-file-cache.js';
import { CliProject } from '../support/cli.js';
import { faulty } from '../support/faulty-driver.js';
import { golden } from '../support/golden.js';
import { recordingLogger } from '../support/recorder.js';

const head = '<?php\n//000000000000\n exit();?>\n';
const { cases } = golden<{
  readonly cases: readonly { readonly name: string; readonly content?: string; readonly path?: string }[];
}>('queue-restart');
const recorded = (name: string) => cases.find((one) => one.name.startsWith(name))?.content ?? '';
const think3 = recorded('think-queue 3.x, cache store file');
const think1 = recorded('ThinkPHP 5.0.24, cache type File');

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-think-'));
  mkdirSync(join(folder, 'fe'));
  path = join(folder, 'fe/767bdf35445c5d9d176a0c20c983f6.php');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const cache = () => thinkFileCache({ thinkCache: folder }) as NonNullable<ReturnType<typeof thinkFileCache>>;

describe('what is read', () => {
  test.each([
    ['of think-queue 3', think3, '1795217316'],
    ['of think-queue 1', think1, '1795217281'],
    ['of a cache with an expiry', '<?php\n//000000003600\n exit();?>\n17', '17'],
    ['nothing', '', null],
    ['a file that is being written', head, null],
    ['digits without the head', '1795217316', null],
    ['PHP code', '<?php return 1795217316;', null],
    ['another type', `${head}s:2:"17";`, null],
    ['a negative number', `${head}-17`, null],
    ['a number without an end', `${head}i:17`, null],
    ['a compressed value', `${head}\x78\x9c`, null],
    ['more than a number', `${head}17\n`, null],
    ['a number of any length', head + '1'.repeat(1_000_000), null],
  ])('%s', async (_, text, value) => {
    writeFileSync(path, text);
    expect(await cache().read(restartKey)).toBe(value);
  });

  test('no file, no folder, and what is no file', async () => {
    expect(await cache().read(restartKey)).toBeNull();
    expect(await thinkFileCache({ thinkCache: join(folder, 'none') })?.read(restartKey)).toBeNull();
    mkdirSync(path);
    expect(await cache().read(restartKey)).toBeNull();
    rmSync(path, { recursive: true });
    execFileSync('mkfifo', [path]);
    expect(await cache().read(restartKey)).toBeNull();
    rmSync(join(folder, 'fe'), { recursive: true });
    writeFileSync(join(folder, 'fe'), '');
    expect(await cache().read(restartKey)).toBeNull();
  });

  test('no cache where none is configured', () => expect(thinkFileCache({})).toBeUndefined());
});

describe('what is written', () => {
  test.each([
    ['as think-queue 3 does, where it did', think3, (seconds: string) => head + seconds],
    ['as think-queue 1 does, where it did', think1, (seconds: string) => `${head}i:${seconds};`],
    ['as both read it, where there is nothing', undefined, (seconds: string) => `${head}i:${seconds};`],
  ])('%s', async (_, before, after) => {
    if (before === undefined) rmSync(join(folder, 'fe'), { recursive: true });
    else writeFileSync(path, before);
    const seconds = await signalRestart(cache(), 1_800_000_000_000);
    expect(readFileSync(path, 'latin1')).toBe(after('1800000000'));
    expect(await cache().read(restartKey)).toBe(seconds);
  });
});

function setUp(without: 'signals'[] = []) {
  const logger = recordingLogger();
  const driver = faulty(memory(), without);
  const queue = createQueue({ connections: { default: driver }, thinkCache: folder, logger });
  return { driver, queue, logger };
}

test('a worker stops when the file says so', async () => {
  const { driver, queue } = setUp();
  writeFileSync(path, think3);
  const run = queue.worker().run();
  await driver.faults.called('waitForJob');
  writeFileSync(path, think1);
  expect(await run).toBe('restart');
  expect(await driver.store.signals?.read(restartKey)).toBeNull();
});

test('queue.restartWorkers() writes the file and the store; the file alone where the store carries none', async () => {
  const { driver, queue } = setUp();
  await queue.restartWorkers();
  expect(await driver.store.signals?.read(restartKey)).toMatch(/^\d{10}$/);
  expect(readFileSync(path, 'latin1')).toMatch(/i:\d{10};$/);
  rmSync(path);
  await setUp(['signals']).queue.restartWorkers();
  expect(readFileSync(path, 'latin1')).toMatch(/i:\d{10};$/);
});

test('a folder is asked for', () => {
  for (const thinkCache of ['', 1]) {
    const make = () => createQueue({ connections: { default: memory() }, thinkCache: thinkCache as string });
    expect(make).toThrow(
      expect.objectContaining({
        code: 'E_CONFIG',
        message: expect.stringMatching(/^thinkCache: .+ is not a folder$/),
      }),
    );
  }
});

test('the commands: PHP’s restart stops queue:work and queue:listen, and queue:restart writes what PHP reads', async () => {
  const project = new CliProject({
    'drover.config.json': JSON.stringify({
      connections: { main: { driver: 'sqlite', url: 'sqlite:./q.sqlite' } },
      jobs: './jobs/*.mjs',
      thinkCache: './cache',
    }),
    'jobs/x.mjs':
      "import { defineJob } from 'drover';\nexport default defineJob({ name: 'x', handle() {} });\n",
  });
  for (const queue of ['a', 'b']) await project.must('queue:push', 'x', '--queue', queue);
  const running = [
    project.start(['work', '--json', '--queue', 'a']),
    project.start(['listen', '--json', '--queue', 'b']),
  ];
  // Whoever has taken a job has read the signal that was there before.
  await Promise.all(running.map((process) => process.line({ event: 'job:done' })));
  const written = join(project.directory, 'cache/fe/767bdf35445c5d9d176a0c20c983f6.php');
  mkdirSync(dirname(written), { recursive: true });
  php('file_put_contents($argv[1], $argv[2]);', written, think3);
  const ends = await Promise.all(running.map((process) => process.exited));
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  rmSync(written);
  await project.must('queue:restart');
  const value = php('echo json_encode(unserialize(substr(file_get_contents($argv[1]), 32)));', written);
  expect(value).toMatch(/^\d{10}$/);
  await project.remove();
});

/** Runs a program of PHP; answers what it printed. */
function php(program: string, ...args: string[]): string {
  return execFileSync('php', ['-n', '-r', program, ...args], { encoding: 'utf8' });
}
