import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// That the benchmark runs, not how fast anything is.

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const measured = ['drover', 'drover-cli', 'raw-1', 'raw-50'];

interface Results {
  readonly figures: readonly {
    readonly figure: string;
    readonly rows: readonly { readonly contender: string; readonly median: number }[];
  }[];
  readonly commandsPerJob: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly skipped: Readonly<Record<string, string>>;
}

describe('npm run bench', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-bench-test-'));
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'bench')]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function bench(...args: string[]): Promise<{ text: string; results: Results }> {
    const json = join(folder, `${args.join('')}.json`.replaceAll('-', ''));
    const tiny = ['--jobs', '60', '--paced', '3', '--repeat', '1', '--limit', '5', '--json', json];
    const file = join(root, 'bench/dist/run.js');
    const { stdout } = await run(process.execPath, [file, ...args, ...tiny], { cwd: folder });
    return { text: stdout, results: JSON.parse(await readFile(json, 'utf8')) as Results };
  }

  function contendersOf(results: Results, figure: string): string[] {
    const rows = results.figures.find((one) => one.figure.startsWith(figure))?.rows ?? [];
    expect(rows.filter(({ median }) => !(median > 0))).toEqual([]);
    return rows.map(({ contender }) => contender).sort();
  }

  it('measures drover and bare loops on Redis', async () => {
    const { text, results } = await bench('--peers', 'drover,raw', '--measures', 'push-1,drain-10,latency');

    expect(results.skipped).toEqual({});
    expect(contendersOf(results, 'push: one at a time')).toEqual(['drover', 'raw-1', 'raw-50']);
    expect(contendersOf(results, 'drain: concurrency 10')).toEqual(measured);
    expect(contendersOf(results, 'latency: push to handler, p99')).toEqual(measured);
    expect(results.commandsPerJob['raw-1']?.evalsha).toBeGreaterThanOrEqual(1);
    expect(text).toContain('of raw-50');
    expect(text).toMatch(/^\| drover-cli +\|( +[\d.,]+ \|){3}/m);
  }, 60_000);

  it('measures them on SQLite, in two processes', async () => {
    const { results } = await bench('--store', 'sqlite', '--peers', 'drover,raw', '--measures', 'drain-2x10');

    expect(results.skipped).toEqual({});
    expect(contendersOf(results, 'drain: 2 processes')).toEqual(measured);
  }, 60_000);

  it('measures the start of queue:work beside that of two bare processes', async () => {
    const { text, results } = await bench('--peers', 'drover,raw', '--measures', 'cold');

    expect(results.skipped).toEqual({});
    expect(contendersOf(results, 'cold start to first job')).toEqual(['drover-cli', 'raw-1']);
    expect(text).toContain('of raw-1');
  }, 60_000);

  it('measures a peer where it is installed, and tells where it is not', async () => {
    const { text, results } = await bench(
      '--store',
      'sqlite',
      '--peers',
      'plainjob',
      '--measures',
      'drain-1',
    );

    if (results.skipped.plainjob === undefined) {
      expect(contendersOf(results, 'drain: concurrency 1')).toEqual(['plainjob']);
    } else {
      expect(text).toContain('plainjob skipped: plainjob is not installed: cd bench && npm ci');
    }
  }, 60_000);

  it('refuses a measure that there is not', async () => {
    await expect(bench('--measures', 'speed')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no speed; there are push-1'),
    });
  });
});
