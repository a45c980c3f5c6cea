import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { database } from '../../drivers/database/index.js';
import type { Pool } from '../../drivers/database/lend.js';
import { Relay } from '../../drivers/database/relay.js';
import { createQueue, defineJob } from '../../src/index.js';
import { ServerSandbox } from '../support/server-sandbox.js';

/** Says of each step what it was. */
class Numbered implements Pool<number> {
  readonly said: string[] = [];
  readonly free: number[] = [];
  #made = 0;
  whenFree: Promise<void> = Promise.resolve();

  async take(): Promise<number> {
    await this.whenFree;
    const taken = this.free.pop() ?? ++this.#made;
    this.said.push(`took ${taken}`);
    return taken;
  }

  giveBack(connection: number, isWell: boolean): void {
    this.free.push(connection);
    this.said.push(`got back ${connection}${isWell ? '' : ', not well'}`);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a connection that was given back', () => {
  let pool: Numbered;
  let relay: Relay<number>;
  beforeEach(() => {
    pool = new Numbered();
    relay = new Relay(pool);
  });

  test('is there at once for who takes one in the same turn, and for one of them only', async () => {
    const first = await relay.take();
    relay.giveBack(first, true);
    expect(relay.take()).toBe(first);
    expect(relay.take()).toBeInstanceOf(Promise);
    await turn();
    expect(pool.said).toEqual(['took 1', 'took 2']);
  });

  test('is back in the pool when the turn is over', async () => {
    relay.giveBack(await relay.take(), true);
    expect(pool.free).toEqual([]);
    await turn();
    expect(pool.free).toEqual([1]);
    await relay.take();
    expect(pool.said).toEqual(['took 1', 'got back 1', 'took 1']);
  });

  test('goes to the pool where it is not well', async () => {
    relay.giveBack(await relay.take(), false);
    expect(pool.said).toEqual(['took 1', 'got back 1, not well']);
    expect(relay.take()).toBeInstanceOf(Promise);
  });

  test('goes to the pool where somebody waits for one, and where another is kept', async () => {
    const [first, second, third] = [await relay.take(), await relay.take(), await relay.take()];
    let letGo = (): void => {};
    pool.whenFree = new Promise((resolve) => {
      letGo = resolve;
    });
    const waiting = relay.take();
    relay.giveBack(first, true);
    expect(pool.free).toEqual([1]);
    letGo();
    expect(await waiting).toBe(1);
    relay.giveBack(second, true);
    relay.giveBack(third, true);
    expect(pool.free).toEqual([3]);
    await turn();
    expect(pool.free).toEqual([3, 2]);
  });
});

describe('on PostgreSQL', () => {
  const sandbox = new ServerSandbox('postgres');
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test.each([
    ['connections of our own', 'own_', (url: string) => ({ url })],
    ['connections of knex', 'knex_', (url: string) => ({ knex: { client: 'pg', connection: url } as const })],
  ])('with %s a busy worker sends for more before it runs what just came', async (_, prefix, at) => {
    const steps: ('answered' | 'sent' | 'handled')[] = [];
    let whenDone = (): void => {};
    const done = new Promise<void>((resolve) => {
      whenDone = resolve;
    });
    let left = 1000;
    const job = defineJob({
      name: 'count',
      handle: () => {
        steps.push('handled');
        left -= 1;
        if (left === 0) whenDone();
      },
    });
    const queue = createQueue({
      connections: { default: database({ ...at(sandbox.url), prefix }) },
      jobs: [job],
    });
    await queue.bulk(
      job,
      Array.from({ length: left }, () => ({})),
    );
    const { query } = pg.Client.prototype;
    const spied = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
      this: pg.Client,
      ...asked: unknown[]
    ) {
      const answer = query.apply(this, asked as never) as unknown as Promise<unknown>;
      const { text = '' } = asked[0] as { text?: string };
      if (!text.includes('SKIP LOCKED')) return answer;
      steps.push('sent');
      return answer.then((result) => {
        steps.push('answered');
        return result;
      });
    } as never);
    const stop = new AbortController();
    const running = queue.worker({ concurrency: 10, prefetch: 50 }).run(stop.signal);
    await done;
    spied.mockRestore();
    stop.abort();
    await running;
    await queue.close();
    const next = steps.flatMap((step, index) => (step === 'answered' ? (steps[index + 1] ?? []) : []));
    // Not the first, as it shows how long the jobs take, nor the last, and none where a pause made a job look slow.
    expect(next.filter((step) => step === 'sent').length).toBeGreaterThan(next.length / 2);
  });
});
