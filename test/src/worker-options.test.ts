import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, type WorkerOptions } from '../../src/index.js';
import { checkWorkerOptions, workerOptionNames } from '../../src/worker-options.js';

const connection = { name: 'main', queue: 'default', leaseMs: 90_000 };

test('every setting has a default', () => {
  expect(checkWorkerOptions({}, connection)).toEqual({
    name: undefined,
    queues: ['default'],
    concurrency: 1,
    prefetch: undefined,
    tries: 3,
    backoff: { kind: 'exponential', baseMs: 1000, factor: 2, maxMs: 3_600_000, jitter: 0.2 },
    timeoutMs: 60_000,
    unknownJobPatienceMs: 600_000,
    graceMs: 5000,
    sleepMs: 3000,
    restMs: 0,
    force: false,
    heartbeatMs: undefined,
    shutdownTimeoutMs: 25_000,
    once: false,
    stopWhenEmpty: false,
    maxJobs: 0,
    maxTimeMs: 0,
    memoryMiB: 0,
    maxOutageMs: 0,
  });
});

test('every setting has a name, and arrives', () => {
  const options: Required<WorkerOptions> = {
    name: 'mailer 1',
    queues: ['high', 'low', 'high'],
    concurrency: 4,
    prefetch: 7,
    tries: 0,
    backoff: [1, 2],
    timeout: '30s',
    unknownJobPatience: '1m',
    grace: '1s',
    sleep: '100ms',
    rest: '2s',
    force: true,
    heartbeat: '1s',
    shutdownTimeout: 5,
    once: true,
    stopWhenEmpty: true,
    maxJobs: 7,
    maxTime: '1h',
    memory: 128,
    maxOutage: '10m',
  };
  expect([...workerOptionNames].sort()).toEqual(Object.keys(options).sort());
  expect(checkWorkerOptions(options, connection)).toEqual({
    name: 'mailer 1',
    queues: ['high', 'low'],
    concurrency: 4,
    prefetch: 7,
    tries: 0,
    backoff: { kind: 'list', delaysMs: [1000, 2000] },
    timeoutMs: 30_000,
    unknownJobPatienceMs: 60_000,
    graceMs: 1000,
    sleepMs: 100,
    restMs: 2000,
    force: true,
    heartbeatMs: 1000,
    shutdownTimeoutMs: 5000,
    once: true,
    stopWhenEmpty: true,
    maxJobs: 7,
    maxTimeMs: 3_600_000,
    memoryMiB: 128,
    maxOutageMs: 600_000,
  });
});

describe('a worker is refused', () => {
  test.each<[string, object, string, string]>([
    ['for an unknown option', { concurency: 2 }, 'E_CONFIG', 'concurency'],
    ['for a bad queue', { queues: ['fine', 'a b'] }, 'E_QUEUE_NAME', 'a b'],
    ['for no concurrency', { concurrency: 0 }, 'E_CONFIG', 'concurrency: 0'],
    ['for half a concurrency', { concurrency: 1.5 }, 'E_CONFIG', 'concurrency: 1.5'],
    ['for a concurrency without end', { concurrency: Number.POSITIVE_INFINITY }, 'E_CONFIG', 'concurrency'],
    ['for a concurrency as text', { concurrency: '2' }, 'E_CONFIG', 'concurrency'],
    ['for one queue instead of a list', { queues: 'default' }, 'E_CONFIG', 'queues'],
    ['for once as text', { once: 'yes' }, 'E_CONFIG', 'once'],
    ['for stopWhenEmpty as a number', { stopWhenEmpty: 1 }, 'E_CONFIG', 'stopWhenEmpty'],
    ['for negative tries', { tries: -1 }, 'E_CONFIG', 'tries: -1'],
    ['for a bad backoff', { backoff: [] }, 'E_CONFIG', 'backoff'],
    ['for a bad timeout', { timeout: '5 min' }, 'E_DURATION', "timeout: '5 min'"],
    ['for a bad grace', { grace: -1 }, 'E_DURATION', 'grace: -1'],
    ['for a bad sleep', { sleep: 'x' }, 'E_DURATION', 'sleep'],
    ['for a bad shutdownTimeout', { shutdownTimeout: 'x' }, 'E_DURATION', 'shutdownTimeout'],
    ['for negative maxJobs', { maxJobs: -1 }, 'E_CONFIG', 'maxJobs: -1'],
    ['for a bad maxTime', { maxTime: 'x' }, 'E_DURATION', 'maxTime'],
    ['for a memory that is no number', { memory: Number.NaN }, 'E_CONFIG', 'memory: NaN'],
  ])('%s', (_, options, code, named) => {
    const queue = createQueue({ connections: { main: memory() } });
    expect(() => queue.worker(options as WorkerOptions)).toThrow(
      expect.objectContaining({ name: 'QueueError', code, message: expect.stringContaining(named) }),
    );
    const configured = createQueue({ connections: { main: memory() }, worker: options as WorkerOptions });
    expect(() => configured.worker()).toThrow(expect.objectContaining({ code }));
  });
});

describe('the lease outlasts the timeout and the grace', () => {
  test.each<[string, WorkerOptions, boolean]>([
    ['by itself', {}, true],
    ['just so', { timeout: 80, grace: 9.999 }, true],
    ['not when they are as long', { timeout: 80, grace: 10 }, false],
    ['not when they are longer', { timeout: '5m' }, false],
    ['where there is no timeout', { timeout: 0, grace: '5m' }, true],
  ])('%s', (_, options, fine) => {
    const queue = createQueue({ connections: { main: memory() } });
    if (fine) expect(() => queue.worker(options)).not.toThrow();
    else expect(() => queue.worker(options)).toThrow(expect.objectContaining({ code: 'E_LEASE_TOO_SHORT' }));
  });

  test('or the worker is refused with both numbers, and what to set', () => {
    const queue = createQueue({ connections: { main: memory({ lease: '10s' }) } });
    expect(() => queue.worker({ timeout: '1m', grace: '1500ms' })).toThrow(
      expect.objectContaining({
        code: 'E_LEASE_TOO_SHORT',
        message: expect.stringMatching(
          /^connection main: a lease of 10 s .* timeout of 60 s .* grace of 1.5 s/,
        ),
        fix: expect.stringContaining('above 61.5 s'),
      }),
    );
  });
});

describe("a worker's options", () => {
  const config = { concurrency: 3, timeout: '85s', grace: '10s' } as const;

  test("come before the config's, which come before the defaults", () => {
    const queue = createQueue({ connections: { main: memory() }, worker: config });
    expect(() => queue.worker()).toThrow(expect.objectContaining({ code: 'E_LEASE_TOO_SHORT' }));
    expect(() => queue.worker({ timeout: '1s' })).not.toThrow();
  });

  test("that are undefined leave the config's in force", () => {
    const queue = createQueue({ connections: { main: memory() }, worker: config });
    const given = { timeout: undefined, grace: '1s' } as WorkerOptions;
    expect(() => queue.worker(given)).not.toThrow();
    expect(() => queue.worker({ timeout: undefined } as WorkerOptions)).toThrow(
      expect.objectContaining({ code: 'E_LEASE_TOO_SHORT', message: expect.stringContaining('85 s') }),
    );
  });
});
