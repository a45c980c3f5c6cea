import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// That the benchmark runs, not how fast anything is. Of the peers, those that are installed.

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const file = join(root, 'bench/dist/run.js');
const measured = ['drover', 'raw-1', 'raw-50'];
const withKnex = [...measured, 'raw-knex-1', 'raw-knex-50'];

interface Results {
  readonly figures: readonly {
    readonly figure: string;
    readonly rows: readonly { readonly contender: string; readonly median: number }[];
  }[];
  readonly serverPerJob: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly skipped: Readonly<Record<string, string>>;
}

describe('npm run bench', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-bench-test-'));
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'bench')]);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function bench(store: string, ...args: string[]): Promise<{ text: string; results: Results }> {
    const json = join(folder, `${store}${args.join('')}.json`.replaceAll('-', ''));
    const tiny = ['--jobs', '60', '--paced', '3', '--repeat', '1', '--limit', '5', '--json', json];
    const { stdout } = await run(process.execPath, [file, '--store', store, ...args, ...tiny], {
      cwd: folder,
    });
    const saved = JSON.parse(await readFile(json, 'utf8'));
    return { text: stdout, results: saved.stores[store] as Results };
  }

  function contendersOf(results: Results, figure: string): string[] {
    const rows = results.figures.find((one) => one.figure.startsWith(figure))?.rows ?? [];
    expect(rows.filter(({ median }) => !(median > 0))).toEqual([]);
    return rows.map(({ contender }) => contender).sort();
  }

  it('measures pushes and the time from push to handler', async () => {
    const { text, results } = await bench('redis', '--peers', 'drover,raw', '--measures', 'push-1,latency');

    expect(results.skipped).toEqual({});
    expect(contendersOf(results, 'push: one at a time')).toEqual(['drover', 'raw-1', 'raw-50']);
    expect(contendersOf(results, 'latency: push to handler, p99')).toEqual([
      'drover',
      'drover-cli',
      'raw-1',
      'raw-50',
      'raw-hop',
      'raw-two-hops',
    ]);
    expect(text).toContain('of raw-50');
    expect(text).toMatch(/^\| drover-cli +\|( +[\d.,]+ \|){3}/m);
  }, 60_000);

  it.each([
    { store: 'redis', own: measured, peer: 'bee-queue', counted: 'evalsha' },
    {
      store: 'postgres',
      own: withKnex,
      peer: 'pg-boss',
      counted: 'commits',
    },
    {
      store: 'mysql',
      own: withKnex,
      peer: 'boringnode',
      counted: 'Questions',
    },
    {
      store: 'sqlite',
      own: withKnex,
      peer: 'plainjob',
      counted: undefined,
    },
  ])(
    'measures what is there for $store, and tells what is not',
    async ({ store, own, peer, counted }) => {
      const { text, results } = await bench(store, '--without', 'drover-cli', '--measures', 'drain-10');

      const done = contendersOf(results, 'drain: concurrency 10');
      expect(done).toEqual(expect.arrayContaining(own));
      const known = /is not installed: cd bench && npm ci|needs Node 22|is not compiled for the later Node/;
      expect(Object.entries(results.skipped).filter(([, why]) => !known.test(why))).toEqual([]);
      if (!done.includes(peer)) expect(text).toContain(`- ${peer} skipped: `);
      if (counted !== undefined) expect(results.serverPerJob['raw-1']?.[counted]).toBeGreaterThanOrEqual(1);
    },
    120_000,
  );

  it('measures two processes, large jobs, slow handlers and a backlog', async () => {
    const { results } = await bench(
      'sqlite',
      ...['--peers', 'drover', '--without', 'drover-cli'],
      ...['--measures', 'drain-1,drain-2x10,drain-20k,drain-io,push-20k,backlog-1k'],
    );

    expect(results.skipped).toEqual({});
    expect(results.figures.map(({ figure }) => figure)).toHaveLength(6);
    expect(contendersOf(results, 'drain: concurrency 1,')).toEqual(['drover', 'drover-prefetch-0']);
    expect(contendersOf(results, 'drain: handlers that wait 2 ms')).toEqual(['drover']);
  }, 60_000);

  it('measures jobs that run where they are pushed', async () => {
    const { results } = await bench('sync', '--measures', 'push-1');

    expect(contendersOf(results, 'push: one at a time')).toEqual(['drover']);
  }, 60_000);

  it('measures the start of queue:work beside that of two bare processes', async () => {
    const { text, results } = await bench('redis', '--peers', 'drover,raw', '--measures', 'cold');

    expect(results.skipped).toEqual({});
    expect(contendersOf(results, 'cold start to first job')).toEqual(['drover-cli', 'raw-1']);
    expect(text).toContain('of raw-1');
  }, 60_000);

  it('puts runs together, holds them against the targets and draws them', async () => {
    const saved = (store: string, drover: number, plainjob: number) => ({
      stores: {
        [store]: {
          figures: [
            {
              figure: 'push: 1,000 a call, jobs/s',
              rows: [
                { contender: 'drover', runs: [drover] },
                { contender: 'plainjob', runs: [plainjob] },
              ],
            },
          ],
          serverPerJob: {},
          skipped: {},
          otherNodes: {},
        },
      },
    });
    const files = [join(folder, 'one.json'), join(folder, 'two.json')];
    await Promise.all([
      writeFile(files[0] ?? '', JSON.stringify(saved('sqlite', 300, 1000))),
      writeFile(files[1] ?? '', JSON.stringify(saved('sqlite', 700, 1000))),
    ]);
    const svg = join(folder, 'chart.svg');

    const { stdout } = await run(process.execPath, [file, '--merge', ...files, '--targets', '--svg', svg]);

    expect(stdout).toMatch(/^\| drover +\| +500 \| +300 \| +700 \| +0\.50× \|$/m);
    const bulk = stdout.split('\n').filter((line) => line.includes('sqlite: push-bulk'));
    expect(bulk.map((line) => line.split('|').map((cell) => cell.trim()))).toEqual([
      ['', 'sqlite: push-bulk', 'must', '≥ 0.40×', '0.50×', expect.any(String), 'met', ''],
      ['', 'sqlite: push-bulk', 'goal', '≥ 0.80×', '0.50×', expect.any(String), 'missed', ''],
    ]);
    expect(stdout).toMatch(/sqlite: idle pickup \| must \| .* \| not measured \|/);
    const drawn = await readFile(svg, 'utf8');
    expect(drawn).toMatch(/^<svg .*\n(.*\n)*<\/svg>\n$/);
    expect(drawn).toMatch(/>plainjob<(.*\n)*.*>1,000</);
  }, 60_000);

  it('puts each store into one table, with its targets', async () => {
    const rows = [
      { contender: 'drover', runs: [90_000] },
      { contender: 'drover-cli', runs: [80_000] },
      { contender: 'bee-queue', runs: [40_000] },
      { contender: 'raw-50', runs: [250_000] },
    ];
    const figures = [{ figure: 'drain: concurrency 10, jobs/s', rows }];
    const saved = { figures, serverPerJob: {}, skipped: {}, otherNodes: {} };
    const results = join(folder, 'redis.json');
    await writeFile(results, JSON.stringify({ stores: { redis: saved } }));

    const { stdout } = await run(process.execPath, [file, '--merge', results, '--overview']);

    const lines = stdout.split('\n').filter((line) => line.startsWith('| handled'));
    expect(lines.map((line) => line.split(' | '))).toEqual([
      [
        '| handled, 10 at a time',
        ...['90,000', '80,000', 'bee-queue 40,000', 'raw-50 250,000'],
        '**missed**: 2.25× bee-queue (≥ 2.50×)<br>≥ 4.50× bullmq: not measured',
        '**missed**: 2.25× bee-queue (≥ 4.00×)<br>met: 0.36× raw-50 (≥ 0.30×) |',
      ],
    ]);
  }, 60_000);

  it('refuses a measure that there is not', async () => {
    await expect(bench('redis', '--measures', 'speed')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no speed; there are push-1'),
    });
  });
});
