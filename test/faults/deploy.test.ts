import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CliProject, Result, RunningCli } from '../support/cli.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { inTier } from '../support/tier.js';
import { faultyProject } from './supervisor-project.js';

// `DROVER_DEPLOY_JOB_MS=3000` for jobs as long as those of a slow application.
const jobMs = Number(process.env.DROVER_DEPLOY_JOB_MS ?? 150);
const workers = 4;
const restarts = 10;

/** Starts a command anew whenever it has ended, as process managers do, until told to stop. */
class ProcessManager {
  readonly ends: Result[] = [];
  readonly #start: () => RunningCli;
  #current: RunningCli | undefined;
  #running: Promise<void>;
  #stopping = false;

  constructor(start: () => RunningCli) {
    this.#start = start;
    this.#running = this.#keep();
  }

  kill(signal: NodeJS.Signals): void {
    this.#current?.kill(signal);
  }

  /** Resolves once so many processes have ended. */
  async hasEnded(times: number): Promise<void> {
    await expect.poll(() => this.ends.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(times);
  }

  /** Resolves once a worker of the current process works, or of one after it that gets that far. */
  async hasBegun(): Promise<void> {
    for (;;) {
      const current = this.#current;
      const hasBegun = await current?.line({ event: 'worker:started' }).then(
        () => true,
        () => false,
      );
      if (hasBegun) return;
      await expect.poll(() => this.#current, { timeout: 30_000 }).not.toBe(current);
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.kill('SIGTERM');
    await this.#running;
  }

  async #keep(): Promise<void> {
    while (!this.#stopping) {
      this.#current = this.#start();
      this.ends.push(await this.#current.exited);
    }
  }
}

let redis: RedisServer;
let project: CliProject;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

afterEach(() => project.remove());

describe.each(inTier(['SQLite'], ['Redis']))('on %s', (store) => {
  test('ten restarts in a row and a SIGTERM while jobs run and come: nothing is lost, and each runs once', {
    timeout: 40 * jobMs + 60_000,
  }, async () => {
    project = faultyProject("timeout: '60s'", store === 'Redis' ? redis.url : undefined);
    await (await project.queue()).migrate?.();
    const manager = new ProcessManager(() => project.start(['queue:work', '--json', `--workers=${workers}`]));
    const ids: string[] = [];
    const stopPushing = new AbortController();
    const pushing = (async () => {
      for (let n = 0; !stopPushing.signal.aborted; n++) {
        ids.push(await project.push('step', jobMs, { id: `step-${n}` }));
        await sleep(jobMs / workers);
      }
    })();
    await expect.poll(() => project.read('ran')).not.toBe('');
    let ended = 0;
    for (let asked = 1; asked <= restarts; asked++) {
      await project.must('queue:restart');
      if (asked !== restarts / 2) continue;
      await manager.hasBegun();
      const before = manager.ends.length;
      manager.kill('SIGTERM');
      await manager.hasEnded(before + 1);
      await manager.hasBegun();
      ended = manager.ends.length;
    }
    await manager.hasEnded(ended + 1);
    stopPushing.abort();
    await pushing;
    const ran = () => project.read('ran').split('\n').filter(Boolean);
    const isDone = (id: string) => ran().includes(`${id} ended 1`);
    await expect.poll(() => ids.filter((id) => !isDone(id)), { timeout: 30 * jobMs + 20_000 }).toEqual([]);
    await manager.stop();

    const reasons = manager.ends.flatMap(({ lines }) =>
      lines.filter((line) => line.event === 'worker:stopped').map((line) => String(line.reason)),
    );
    const count = (reason: string) => reasons.filter((one) => one === reason).length;
    console.log(
      `${store}: ${ids.length} jobs of ${jobMs} ms, ${ran().length / 2} runs; ${restarts} restarts and a SIGTERM ended ` +
        `${manager.ends.length} supervisors, ${count('restart')} workers for a restart, ${count('signal')} for a signal`,
    );
    expect(ran().sort()).toEqual(ids.flatMap((id) => [`${id} ended 1`, `${id} started 1`]).sort());
    // One that gets its signal while Node itself still starts has begun nothing, and is ended by it.
    const begun = manager.ends.filter(({ lines }) => lines.length > 0);
    expect(begun.map(({ code }) => code)).toEqual(begun.map(() => 0));
    expect(reasons).toContain('restart');
    expect(reasons).toContain('signal');
    expect(await project.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  });
});
