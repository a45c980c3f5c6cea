import { describe, expect, test } from 'vitest';
import { defaultConnection } from '../../config/default-connection.js';
import { configError } from '../../config/problem.js';
import { findProblems } from '../../config/validate.js';
import { database } from '../../drivers/database/index.js';
import { memory } from '../../drivers/memory/index.js';
import {
  defineJob,
  exponential,
  phpNames,
  type QueueConfig,
  silentLogger,
  systemClock,
} from '../../src/index.js';
import { loadConfig } from './built.js';
import { errorOf, makeProject } from './project.js';

const connections = { main: memory() };
const job = defineJob({ name: 'job', handle() {} });
class Dismiss {
  fire() {}
}
class Named {
  static jobName = 'named';
  fire() {}
}

/** The lines that tell what is wrong with a config, with its remedies. */
function linesFor(config: unknown, chosen?: string): string[] {
  return findProblems(config, chosen).map(
    ({ path, what, fix }) => `${path}: ${what}${fix ? `. ${fix}` : ''}`,
  );
}

test('three mistakes are told at once, each with its place and a suggestion', async () => {
  const cwd = await makeProject({
    'drover.config.ts': `
      import { memory } from 'drover/drivers/memory';
      export default {
        default: 'mian',
        conections: {},
        connections: { main: memory(), spare: memory() },
        worker: { concurency: 5 },
      };`,
  });
  const error = await errorOf(loadConfig({ cwd, env: {} }));
  expect(error.code).toBe('E_CONFIG');
  expect(error.message.split('\n')).toEqual([
    'drover.config.ts: 3 problems',
    '  conections: unknown key; did you mean connections?',
    '  default: there is no connection "mian"; did you mean main?',
    '  worker.concurency: unknown key; did you mean concurrency?',
  ]);
});

test('a single problem is told in one line, its remedy apart', () => {
  const error = configError('c.ts', findProblems({ connections, worker: { timeout: 'never' } }));
  expect(error.message).toBe("c.ts: worker.timeout: 'never' is not a time span");
  expect(error.fix).toContain("'30s'");
});

describe('nothing is wrong with', () => {
  const good: Record<string, QueueConfig> = {
    'the least': { connections },
    'all keys': {
      default: 'main',
      connections: { main: memory({ lease: '10m' }), db: database('sqlite:./x.sqlite') },
      jobs: ['./jobs/*.ts', job, Named],
      names: phpNames(),
      thinkCache: '../shop/runtime/cache',
      failed: { connection: 'db' },
      worker: {
        queues: ['a', 'b'],
        concurrency: 5,
        tries: 0,
        backoff: exponential('2s', { max: '10m' }),
        timeout: '5m',
        grace: 10,
        sleep: '500ms',
        shutdownTimeout: '1m',
        once: false,
        stopWhenEmpty: true,
        maxJobs: 100,
        maxTime: '1h',
        memory: 256,
      },
      maxPayloadBytes: 1000,
      logger: silentLogger,
      clock: systemClock,
    },
    'jobs by name': { connections, jobs: { Dismiss, job } },
    'one glob': { connections, jobs: './jobs/**' },
    'settings left undefined': {
      connections,
      default: undefined,
      worker: { timeout: undefined },
      failed: undefined,
    },
    'a default called default': { connections: { default: memory(), other: memory() } },
    'no limit on runs': { connections, worker: { timeout: 0 } },
  };
  test.each(Object.entries(good))('%s', (_name, config) => {
    expect(linesFor(config)).toEqual([]);
  });
});

describe('each mistake has its line:', () => {
  const long = (text: string) => expect.stringContaining(text);
  const bad: [name: string, config: object, line: unknown][] = [
    ['names that are no rule', { connections, names: 'app' }, 'names: is text, not a function'],
    ['a cache that is no folder', { connections, thinkCache: 1 }, 'thinkCache: is not the path of a folder'],
    ['no connections', {}, long('connections: is missing. Write connections: {')],
    ['empty connections', { connections: {} }, long('connections: there is none')],
    ['connections in a list', { connections: [memory()] }, long('connections: is a list, not an object')],
    [
      'a driver without a name',
      { connections: memory() },
      long('connections: is one driver, without a name'),
    ],
    [
      'a driver not called',
      { connections: { main: memory } },
      long('connections.main: is a function, not a driver. Call it'),
    ],
    [
      'a URL for a driver',
      { connections: { main: 'redis://:CANARY@h' } },
      long('connections.main: is text, not a driver'),
    ],
    ['the JSON form', { connections: { main: { driver: 'sqlite' } } }, long('is for JSON files')],
    ['an odd name', { connections: { 'a b': 7 } }, long('connections."a b": is a number, not a driver')],
    [
      'a far default',
      { connections, default: 'x' },
      'default: there is no connection "x"; the connections are main',
    ],
    [
      'a default of wrong type',
      { connections, default: 7 },
      long('default: is a number, not the name of a connection'),
    ],
    [
      'no default among several',
      { connections: { a: memory(), b: memory() } },
      'default: is missing; the connections are a, b',
    ],
    [
      'a failed connection that is not there',
      { connections, failed: { connection: 'mein' } },
      'failed.connection: there is no connection "mein"; did you mean main?',
    ],
    [
      'failed without a connection',
      { connections, failed: {} },
      long('failed.connection: is missing. Write'),
    ],
    [
      'a slip in failed',
      { connections, failed: { conection: 'main' } },
      'failed.conection: unknown key; did you mean connection?',
    ],
    [
      'failed as a name',
      { connections, failed: 'main' },
      long('failed: "main" is no place for failed jobs. Write \'same\''),
    ],
    ['jobs of wrong type', { connections, jobs: 7 }, long('jobs: is a number. Write a glob')],
    ['one job for a list', { connections, jobs: job }, 'jobs: is one job, not a list. Write jobs: [job].'],
    ['an empty glob', { connections, jobs: [' '] }, long('jobs[0]: is an empty glob')],
    [
      'a class in a list',
      { connections, jobs: [job, Dismiss] },
      long('jobs[1]: is a class without a wire name'),
    ],
    ['no job in a list', { connections, jobs: [{}] }, long('jobs[0]: is an object, neither a defineJob()')],
    ['no job under a name', { connections, jobs: { a: () => {} } }, long('jobs.a: is a function, neither')],
    ['a glob under a name', { connections, jobs: { a: './a.ts' } }, long('jobs.a: is text, neither')],
    [
      'a bad name of a class',
      { connections, jobs: { '1st': Dismiss } },
      long("jobs.1st: '1st' cannot be the name of a job"),
    ],
    ['worker of wrong type', { connections, worker: 5 }, 'worker: is a number, not an object'],
    [
      'worker.queues as text',
      { connections, worker: { queues: 'mail' } },
      long('worker.queues: is text, not a list'),
    ],
    [
      'a bad queue',
      { connections, worker: { queues: ['ok', 'a b'] } },
      long("worker.queues[1]: 'a b' cannot be"),
    ],
    [
      'worker.concurrency',
      { connections, worker: { concurrency: 0 } },
      long('worker.concurrency: 0 is not a whole number from 1 up'),
    ],
    ['worker.tries', { connections, worker: { tries: -1 } }, long('worker.tries: -1 is not a whole number')],
    [
      'worker.backoff',
      { connections, worker: { backoff: ['1s', 'x'] } },
      long("worker.backoff[1]: 'x' is not a time span"),
    ],
    [
      'worker.backoff.factor',
      { connections, worker: { backoff: exponential('1s', { factor: 0 }) } },
      long('worker.backoff.factor: 0'),
    ],
    ['worker.once', { connections, worker: { once: 'yes' } }, 'worker.once: is text, not true or false'],
    ['worker.memory', { connections, worker: { memory: '128' } }, long("worker.memory: '128' is not")],
    [
      'maxPayloadBytes',
      { connections, maxPayloadBytes: 0.5 },
      'maxPayloadBytes: is not a whole number from 1 up',
    ],
    ['logger', { connections, logger: { info() {} } }, long('logger: has no methods debug')],
    ['clock', { connections, clock: {} }, 'clock: has no method now'],
    [
      'an unknown key that is near nothing',
      { connections, x: 1 },
      long('x: unknown key; the keys are default, connections'),
    ],
  ];
  test.each(bad)('%s', (_name, config, line) => {
    const lines = linesFor(config);
    expect(lines).toEqual([line]);
    expect(lines.join()).not.toContain('CANARY');
  });
});

describe('lease and timeout', () => {
  const config = {
    default: 'long',
    connections: { long: memory({ lease: '10m' }), short: memory() },
    worker: { timeout: '2m', grace: '10s' },
  };

  test('are compared for the connection in use, and told with both numbers', () => {
    expect(linesFor(config)).toEqual([]);
    expect(linesFor(config, 'short')).toEqual([
      'worker.timeout: connection short: a lease of 90 s does not outlast a timeout of 120 s and a grace of 10 s: ' +
        "jobs could run twice at the same time. Set the connection's lease above 130 s, or a shorter timeout.",
    ]);
  });

  test('of the built-in defaults fit', () => {
    expect(linesFor({ connections, worker: {} })).toEqual([]);
  });
});

test('the default connection is the one named, or the only one, or `default`', () => {
  expect(defaultConnection({ default: 'b', connections: { a: memory(), b: memory() } })).toBe('b');
  expect(defaultConnection({ connections: { a: memory() } })).toBe('a');
  expect(defaultConnection({ connections: { a: memory(), default: memory() } })).toBe('default');
});
