import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { createQueue, type Driver, defineJob, type QueueConfig } from '../../src/index.js';
import { within } from '../support/deferred.js';
import { faulty } from '../support/faulty-driver.js';
import { workOff } from '../support/recorder.js';

const job = defineJob({ name: 'job', handle() {} });

describe('the connection used where none is named', () => {
  test.each<[string, Pick<QueueConfig, 'default'>, string[], string]>([
    ['the one that default names', { default: 'b' }, ['a', 'b'], 'b'],
    ['the only one there is', {}, ['a'], 'a'],
    ['the one called default', {}, ['a', 'default'], 'default'],
    ['the one that default names, before the one called default', { default: 'a' }, ['a', 'default'], 'a'],
  ])('is %s', (_, config, names, expected) => {
    const connections = Object.fromEntries(names.map((name) => [name, memory()]));
    const queue = createQueue({ ...config, connections });
    expect(queue.connectionName).toBe(expected);
    expect(queue.connectionNames).toEqual(names);
  });
});

describe('a queue is refused', () => {
  test.each<[string, object, string, string]>([
    ['without connections', { connections: {} }, 'E_CONFIG', 'connections'],
    ['without the key', {}, 'E_CONFIG', 'connections'],
    [
      'with two and no default',
      { connections: { a: memory(), b: memory() } },
      'E_CONNECTION_UNKNOWN',
      'default',
    ],
    [
      'with a default that is none',
      { default: 'c', connections: { a: memory() } },
      'E_CONNECTION_UNKNOWN',
      'c',
    ],
    [
      'with a default of the prototype',
      { default: 'toString', connections: { a: memory() } },
      'E_CONNECTION_UNKNOWN',
      'toString',
    ],
    ['with what is no driver', { connections: { default: { driver: 'memory' } } }, 'E_CONFIG', 'default'],
    ['with the function of a driver', { connections: { default: memory } }, 'E_CONFIG', 'default'],
    [
      'with a place for failed jobs that is none',
      { connections: { default: memory() }, failed: { connection: 'c' } },
      'E_CONNECTION_UNKNOWN',
      'c',
    ],
  ])('%s', (_, config, code, named) => {
    expect(() => createQueue(config as QueueConfig)).toThrow(
      expect.objectContaining({ name: 'QueueError', code, message: expect.stringContaining(named) }),
    );
  });

  test('saying which connections there are', () => {
    const queue = createQueue({ default: 'a', connections: { a: memory(), b: memory() } });
    for (const name of ['c', '__proto__', 'constructor']) {
      expect(() => queue.connection(name)).toThrow(
        expect.objectContaining({ code: 'E_CONNECTION_UNKNOWN', fix: 'The config has a, b.' }),
      );
    }
  });
});

describe('a connection is opened', () => {
  function counted(): Driver & { opened: number } {
    const driver = memory();
    return {
      ...driver,
      opened: 0,
      connect(context) {
        this.opened += 1;
        return driver.connect(context);
      },
    };
  }

  test('when it is first used, and once', async () => {
    const [a, b] = [counted(), counted()];
    const queue = createQueue({ default: 'a', connections: { a, b }, jobs: [job] });
    expect([a.opened, b.opened]).toEqual([0, 0]);
    await queue.push(job);
    await workOff(queue);
    await queue.size();
    await queue.connection('a').push(job);
    expect([a.opened, b.opened]).toEqual([1, 0]);
    await queue.push(job, null, { connection: 'b' });
    expect([a.opened, b.opened]).toEqual([1, 1]);
  });

  test('never, where the queue is closed before', async () => {
    const driver = counted();
    const queue = createQueue({ connections: { default: driver } });
    await queue.close();
    await expect(queue.push(job)).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
    expect(() => queue.worker()).toThrow(expect.objectContaining({ code: 'E_QUEUE_CLOSED' }));
    expect(driver.opened).toBe(0);
  });
});

describe('close', () => {
  test('ends all connections; what comes after it is refused', async () => {
    const queue = createQueue({ default: 'a', connections: { a: memory(), b: memory(), c: sync() } });
    const b = queue.connection('b');
    const c = queue.connection('c');
    await queue.push(job);
    await b.push(job);
    await c.push(job);
    await b.close();
    for (const closed of [queue, b, c]) {
      await expect(closed.push(job)).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
      await expect(closed.bulk(job, [null])).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
      await expect(closed.size()).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
      await expect(closed.clear()).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
    }
    await expect(queue.failed.list()).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
  });

  test('may be called twice, and at once', async () => {
    const queue = createQueue({ connections: { default: memory() } });
    await queue.push(job);
    await Promise.all([queue.close(), queue.close()]);
    await queue.close();
  });

  test('ends the run of a worker that waits', async () => {
    const driver = faulty(memory());
    const queue = createQueue({ connections: { default: driver }, jobs: [job] });
    const run = queue.worker({ sleep: '1h' }).run();
    await driver.faults.called('waitForJob');
    await queue.close();
    expect(await within(run, 'the end')).toBe('signal');
  });
});

describe('a place for failed jobs', () => {
  const noPlace = () => faulty(memory(), ['failedJobs', 'fail']);

  test('must be somewhere: a worker would delete failed jobs', async () => {
    const queue = createQueue({ connections: { default: noPlace() } });
    expect(() => queue.worker()).toThrow(
      expect.objectContaining({ code: 'E_FAILED_STORE_MISSING', fix: expect.stringContaining("'none'") }),
    );
    await expect(queue.push(job)).resolves.toEqual(expect.any(String));
  });

  test('must be one that can keep them', () => {
    const queue = createQueue({
      default: 'a',
      connections: { a: memory(), b: sync() },
      failed: { connection: 'b' },
    });
    expect(() => queue.worker()).toThrow(
      expect.objectContaining({
        code: 'E_FAILED_STORE_MISSING',
        message: expect.stringContaining('connection b'),
      }),
    );
  });

  test.each<[string, QueueConfig['failed']]>([
    ['may be another connection', { connection: 'graves' }],
    ['may be nowhere, by choice', 'none'],
  ])('%s', (_, failed) => {
    const connections = { default: noPlace(), graves: memory() };
    const queue = createQueue({ connections, ...(failed && { failed }) });
    expect(() => queue.worker()).not.toThrow();
  });
});

describe('job files that are not loaded', () => {
  test.each<[string, QueueConfig['jobs']]>([
    ['a glob', 'jobs/**/*.ts'],
    ['a list with a glob', [job, 'jobs/*.ts']],
  ])('%s: pushes by name work, a worker says what is missing', async (_, jobs) => {
    const queue = createQueue({ connections: { default: memory() }, ...(jobs && { jobs }) });
    await queue.push('from.a.file', { x: 1 });
    expect(await queue.size()).toMatchObject({ ready: 1 });
    expect(() => queue.worker()).toThrow(
      expect.objectContaining({
        code: 'E_JOB_NOT_LOADED',
        message: expect.stringContaining('jobs/'),
        fix: expect.stringContaining('openQueue'),
      }),
    );
  });

  test('and a push by name on a connection that runs it at once says so as well', async () => {
    const queue = createQueue({ connections: { default: sync() }, jobs: 'jobs/**/*.ts' });
    await expect(queue.push('from.a.file')).rejects.toMatchObject({ code: 'E_JOB_NOT_LOADED' });
  });
});

test('size and clear are of the named queue, else of the connection’s own', async () => {
  const driver = faulty(memory({ queue: 'own' }));
  const queue = createQueue({ connections: { default: driver } });
  await queue.push(job);
  await queue.push(job, null, { delay: 60 });
  await queue.push(job, null, { queue: 'other' });
  await driver.store.reserve(['own'], 1, 90_000);
  expect(await queue.size()).toEqual({ ready: 0, delayed: 1, reserved: 1 });
  expect(await queue.size('other')).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  await expect(queue.size('a b')).rejects.toMatchObject({ code: 'E_QUEUE_NAME' });
  await expect(queue.clear('a b')).rejects.toMatchObject({ code: 'E_QUEUE_NAME' });
  expect(await queue.clear()).toEqual({ ready: 0, delayed: 1, reserved: 0 });
  expect(await queue.clear(undefined, { reserved: true })).toEqual({ ready: 0, delayed: 0, reserved: 1 });
  expect(await queue.size('other')).toMatchObject({ ready: 1 });
});

test('a connection without a schema has nothing to migrate', async () => {
  expect(await createQueue({ connections: { default: memory() } }).migrate()).toEqual([]);
});
