import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { Rounds } from '../../src/rounds.js';

test('a round calls all that are ready, then goes on with all, and only then begins the next', async () => {
  const rounds = new Rounds();
  const told: string[] = [];
  const starter = (name: string, next?: string) => ({
    call: () => void told.push(`call ${name}`),
    goOn: () => {
      told.push(`go on ${name}`);
      if (next !== undefined) rounds.add(starter(next));
    },
  });
  rounds.add(starter('a', 'c'));
  rounds.add(starter('b', 'd'));
  void Promise.resolve().then(() => told.push('queued before'));
  expect(told).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  const each = (one: string, two: string) => [`call ${one}`, `call ${two}`, `go on ${one}`, `go on ${two}`];
  expect(told).toEqual(['queued before', ...each('a', 'b'), ...each('c', 'd')]);
});

test('who waits for those that were added goes on when they have been called, not when they have ended', async () => {
  const rounds = new Rounds();
  const told: string[] = [];
  const starter = (name: string) => ({
    call: () => void told.push(`call ${name}`),
    goOn: () => void (name.length === 1 && rounds.add(starter(`${name}'`))),
  });
  for (const name of ['a', 'b', 'c']) rounds.add(starter(name));
  await rounds.called;
  expect(told).toEqual(['call a', 'call b', 'call c']);
  await new Rounds().called; // nothing to wait for
});

test.each([
  ['returns at once', 1],
  ['returns at once', 3],
  ['awaits', 1],
  ['awaits', 3],
] as const)(
  'what a handler that %s sets in an AsyncLocalStorage is no other’s (%i at a time)',
  async (how, concurrency) => {
    const store = new AsyncLocalStorage<string>();
    store.run('before', () => {}); // Node follows promises only from the first use on
    const seen: (string | undefined)[] = [];
    const job = defineJob({
      name: 'job',
      handle: ({ job: { id } }) => {
        seen.push(store.getStore());
        store.enterWith(id);
        return how === 'awaits' ? new Promise<void>((resolve) => setImmediate(resolve)) : undefined;
      },
    });
    const queue = createQueue({ connections: { default: memory() }, jobs: [job] });
    await queue.bulk(
      job,
      Array.from({ length: 12 }, () => null),
    );
    expect(await queue.worker({ concurrency, stopWhenEmpty: true }).run()).toBe('empty');
    expect(seen).toEqual(Array.from({ length: 12 }, () => undefined));
    await queue.close();
  },
);

test('what a handler settles its job in is not what is told of other jobs', async () => {
  const store = new AsyncLocalStorage<string>();
  const seen = new Map<string, string | undefined>();
  const settles = defineJob({
    name: 'settles',
    handle: ({ job }) => store.run('its own', () => job.delete()),
  });
  const returns = defineJob({ name: 'returns', handle: () => {} });
  const queue = createQueue({ connections: { default: memory() }, jobs: [settles, returns] });
  queue.events.on('job:done', ({ name }) => void seen.set(name, store.getStore()));
  await queue.push(settles, null);
  await queue.push(returns, null);
  const worker = queue.worker({ concurrency: 2, stopWhenEmpty: true });
  await store.run('the worker’s', () => worker.run());
  expect(seen).toEqual(
    new Map([
      ['settles', 'the worker’s'],
      ['returns', 'the worker’s'],
    ]),
  );
  await queue.close();
});

test('a job of a sync connection runs in the context of its push', async () => {
  const store = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const job = defineJob({ name: 'job', handle: () => void seen.push(store.getStore()) });
  const queue = createQueue({ connections: { default: sync() }, jobs: [job] });
  await Promise.all(['a', 'b'].map((name) => store.run(name, () => queue.push(job, null))));
  expect(seen.sort()).toEqual(['a', 'b']);
  await queue.close();
});
