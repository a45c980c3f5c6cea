import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest';
import type { CliProject } from '../support/cli.js';
import { inTier } from '../support/tier.js';
import { putRaw } from './behind-the-driver.js';
import { type MatrixStore, MatrixStores } from './matrix-stores.js';
import { membersOf } from './process-group.js';
import { faultyProject, startWorker } from './supervisor-project.js';

// Rows of the table in docs/reliability.md, on two stores, and on the others in the full tier: what jobs bring with them. Tests run side by side.

vi.setConfig({ testTimeout: inTier([60_000], [240_000]).at(-1) ?? 0 }); // each waits for the processes of the others as well

const stores = new MatrixStores();

beforeAll(() => stores.start());

afterAll(() => stores.stop());

const empty = { ready: 0, delayed: 0, reserved: 0 };
const short = "timeout: '500ms', grace: '200ms', shutdownTimeout: '200ms'";
const tenMegabytes = 10_000_000;

describe.concurrent.each(inTier<MatrixStore>(['SQLite', 'Redis'], ['MariaDB', 'PostgreSQL']))(
  '%s',
  (store) => {
    function setUp(
      { onTestFinished }: TestContext,
      worker?: string,
    ): { project: CliProject; put(payloads: readonly string[]): Promise<void> } {
      const place = stores.place(store);
      const project = faultyProject(worker, place);
      onTestFinished(() => project.remove());
      return { project, put: (payloads) => putRaw(project, place, payloads) };
    }

    /** A worker whose one slot is taken until the file `go` is there. */
    async function startHeld(project: CliProject) {
      await project.push('waits', null, { id: 'first' });
      const { running } = await startWorker(project, ['--workers=0']);
      await running.line({ event: 'job:started', id: 'first' });
      return running;
    }

    test('F13: a child of queue:listen that ignores SIGTERM is killed with its group, and the listener goes on', async (context) => {
      const { project } = setUp(context, short);
      const started = async (line: number) => {
        await context.expect
          .poll(() => project.read('pids').split('\n')[line], { timeout: 60_000 })
          .toBeTruthy();
        return Number(project.read('groups').split('\n')[line]);
      };
      const listen = (...flags: string[]) =>
        project.start(['queue:listen', '--json', '--sleep=50ms', ...flags]);
      await project.push('native', null, { id: 'deaf' });
      await project.push('counts', null, { id: 'next' });
      const listener = listen();
      const group = await started(0);
      await listener.line({ event: 'job:killed', id: 'deaf' });
      await listener.line({ event: 'job:failed', id: 'deaf', reason: 'timed-out' });
      await listener.line({ event: 'job:done', id: 'next' });
      expect(membersOf(group)).toEqual([]);
      listener.kill('SIGTERM');
      expect((await listener.exited).code).toBe(0);

      await project.push('native', null, { id: 'deafer' });
      const stopping = listen('--timeout=0');
      const other = await started(1);
      expect(membersOf(other)).toHaveLength(2);
      stopping.kill('SIGTERM');
      expect((await stopping.exited).code).toBe(0);
      expect(membersOf(other)).toEqual([]);
      expect(await project.size()).toEqual({ ...empty, ready: 1 });
    });

    test('F15: broken and unknown jobs are kept raw on first sight, and the worker goes on', async (context) => {
      const { project, put } = setUp(context, 'unknownJobPatience: 0');
      const running = await startHeld(project);
      const broken = [
        '{"job":"counts","attempts":0,',
        '[{"attempts":0}]',
        '{"data":1,"attempts":0}',
        '{"job":"../../etc/passwd","attempts":0}',
        '{"job":"counts","maxTries":"many","attempts":0}',
        '{"job":"nobody.knows","maxTries":1,"attempts":0}',
      ];
      await put(broken);
      await project.push('counts', null, { id: 'last' });
      project.write('go', '');
      await running.line({ event: 'job:done', id: 'last' });
      running.kill('SIGTERM');
      const { code, lines } = await running.exited;
      expect(code).toBe(0);
      expect(lines.filter(({ event }) => event === 'job:failed')).toHaveLength(broken.length);
      const rows = await (await project.queue()).failed.list();
      expect(rows.map(({ payload }) => payload).sort()).toEqual(broken.sort());
      expect(rows.map(({ reason }) => reason).sort()).toEqual([
        ...Array(5).fill('bad-payload'),
        'unknown-job',
      ]);
      expect(await project.size()).toEqual(empty);
    });

    test('F16: 10 MB are refused before anything is sent; found in the store they are run, or failed in few words', async (context) => {
      const { project, put } = setUp(context);
      const running = await startHeld(project);
      const data = 'x'.repeat(tenMegabytes);
      project.write('data.json', JSON.stringify(data));
      const pushed = await project.run('queue:push', 'measures', '--data', '@data.json');
      expect(pushed.code).toBe(1);
      expect(pushed.stderr).toContain('E_PAYLOAD_TOO_LARGE');
      expect(await project.size()).toEqual({ ...empty, reserved: 1 });
      await put(
        ['measures', 'complains'].map(
          (job) => `{"job":"${job}","data":"${data}","id":"${job}","attempts":0}`,
        ),
      );
      await project.push('counts', null, { id: 'last' });
      project.write('go', '');
      await running.line({ event: 'job:done', id: 'last' });
      await running.line({ event: 'job:failed', name: 'complains' });
      running.kill('SIGTERM');
      const { stdout, stderr } = await running.exited;
      expect(project.read('ran')).toBe(`${tenMegabytes}\n`);
      const longest = Math.max(...`${stdout}\n${stderr}`.split('\n').map((line) => line.length));
      expect(longest).toBeLessThan(20_000);
      const [row] = await (await project.queue()).failed.list();
      expect(row?.payload.length).toBeGreaterThan(tenMegabytes);
      expect(row?.message.length).toBeLessThan(10_000);
      expect(await project.size()).toEqual(empty);
    });

    test('F17: strange data is refused by name, or comes as it went, and a failed one is kept byte for byte', async (context) => {
      const { project, put } = setUp(context);
      const running = await startHeld(project);
      const circle: Record<string, unknown> = {};
      circle.back = circle;
      let deep: unknown = 0;
      for (let level = 0; level < 100_000; level++) deep = [deep];
      for (const data of [1n, circle, deep, () => {}, Number.NaN, '\ud800']) {
        await expect(project.push('echoes', { data })).rejects.toMatchObject({ code: 'E_PAYLOAD_INVALID' });
      }
      const strange = [
        'naïve 🐢 \0',
        -0,
        2 ** 53 + 2,
        JSON.parse('{"__proto__":{"evil":1},"constructor":2}'),
      ];
      for (const data of strange) await project.push('echoes', data);
      const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      const kept = '[-0,9007199254740993,"\\u0000\\ud800",{"__proto__":{"evil":1}}]';
      const raw = [nested, kept].map(
        (text, n) => `{"job":"complains","data":${text},"id":"raw${n}","attempts":0}`,
      );
      await put(raw);
      await project.push('counts', null, { id: 'last' });
      project.write('go', '');
      await running.line({ event: 'job:done', id: 'last' });
      running.kill('SIGTERM');
      expect((await running.exited).code).toBe(0);
      const echoed = project.read('ran').trimEnd().split('\n');
      expect(echoed).toEqual(strange.map((data) => JSON.stringify([data, []])));
      const rows = await (await project.queue()).failed.list();
      expect(rows.map(({ payload }) => payload).sort()).toEqual(raw.sort());
      expect(await project.size()).toEqual(empty);
    });
  },
);
