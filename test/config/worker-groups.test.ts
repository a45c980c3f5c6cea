import { expect, test } from 'vitest';
import { findProblems } from '../../config/validate.js';
import { chosenGroups, configOfGroup, groupOptions } from '../../config/worker-groups.js';
import { memory } from '../../drivers/memory/index.js';
import type { QueueConfig, WorkerGroup } from '../../src/index.js';
import { loadConfig } from './built.js';
import { errorOf, makeProject } from './project.js';

const connections = { main: memory(), long: memory({ lease: '1h' }) };

function linesFor(supervisors: unknown, more: object = {}, chosen?: string): string[] {
  const config = { default: 'main', connections, supervisors, ...more };
  return findProblems(config, chosen).map(
    ({ path, what, fix }) => `${path}: ${what}${fix ? `. ${fix}` : ''}`,
  );
}

test('three mistakes in groups are told at once, each with its place and a suggestion', async () => {
  const cwd = await makeProject({
    'drover.config.json': JSON.stringify({
      connections: { main: { driver: 'memory' } },
      supervisors: {
        mail: { connection: 'mian', maxJob: 5 },
        reports: { timeout: 'never' },
      },
    }),
  });
  const error = await errorOf(loadConfig({ cwd, env: {} }));
  expect(error.code).toBe('E_CONFIG');
  expect(error.message.split('\n')).toEqual([
    'drover.config.json: 3 problems',
    '  supervisors.mail.maxJob: unknown key; did you mean maxJobs?',
    '  supervisors.mail.connection: there is no connection "mian"; did you mean main?',
    expect.stringMatching(/^ {2}supervisors\.reports\.timeout: 'never' is not a time span/),
  ]);
});

test.each<[string, unknown, string[]]>([
  [
    'a list of groups',
    [{ queues: ['a'] }],
    [
      "supervisors: is a list, not an object of groups. Write supervisors: { mail: { queues: ['mail'], workers: 2 } }.",
    ],
  ],
  ['a number of workers alone', { a: 2 }, ['supervisors.a: is a number, not an object of settings']],
  [
    'a name that looks like a flag',
    { '--a': {} },
    [
      'supervisors.--a: is no name that a command line can hold. Use letters, digits, _ . : and -, the first a letter or digit.',
    ],
  ],
  ['no workers', { a: { workers: 0 } }, ['supervisors.a.workers: is not a whole number from 1 up']],
  ['half a worker', { a: { workers: 1.5 } }, ['supervisors.a.workers: is not a whole number from 1 up']],
  [
    'a connection that is no name',
    { a: { connection: memory() } },
    ['supervisors.a.connection: is an object, not the name of a connection'],
  ],
  [
    'a queue that is no name',
    { a: { queues: [''] } },
    [expect.stringContaining('supervisors.a.queues[0]: ')],
  ],
  ['a limit below nothing', { a: { memory: -1 } }, [expect.stringContaining('supervisors.a.memory: ')]],
  ['once', { a: { once: true } }, [expect.stringContaining('supervisors.a.once: unknown key')]],
] as [string, unknown, string[]][])('%s is refused', (_, supervisors, lines) => {
  expect(linesFor(supervisors)).toEqual(lines);
});

test('no groups at all, a group without settings and all settings are fine', () => {
  const all: WorkerGroup = {
    connection: 'long',
    workers: 3,
    queues: ['a', 'b'],
    concurrency: 2,
    prefetch: 0,
    tries: 5,
    backoff: ['1s', '1m'],
    timeout: '5m',
    unknownJobPatience: '1m',
    grace: '1s',
    sleep: 1,
    shutdownTimeout: '1m',
    stopWhenEmpty: true,
    maxJobs: 10,
    maxTime: '1h',
    memory: 100,
    maxOutage: '1m',
  };
  expect(linesFor({})).toEqual([]);
  expect(linesFor({ plain: {}, all })).toEqual([]);
});

test('a timeout is held to the lease of the connection that the group works on', () => {
  const long =
    /^supervisors\.a\.timeout: connection main: a lease of 90 s does not outlast a timeout of 300 s/;
  expect(linesFor({ a: { timeout: '5m' } })).toEqual([expect.stringMatching(long)]);
  expect(linesFor({ a: { timeout: '5m', connection: 'long' } })).toEqual([]);
  expect(linesFor({ a: { timeout: '5m' } }, {}, 'long')).toEqual([]);
  expect(linesFor({ a: { connection: 'main' } }, { worker: { timeout: '5m' } }, 'long')).toEqual([
    expect.stringMatching(long),
  ]);
});

const config: QueueConfig = {
  default: 'main',
  connections,
  worker: { tries: 7, timeout: '30s', once: true },
  supervisors: { mail: { queues: ['mail'], timeout: '10s', workers: 4 }, far: { connection: 'long' } },
};

test('a group goes before `worker`, setting by setting, and stands alone in its processes', () => {
  expect(configOfGroup(config, 'mail')).toEqual({
    default: 'main',
    connections,
    worker: { tries: 7, timeout: '10s', queues: ['mail'], once: false },
  });
  expect(configOfGroup(config, 'far').default).toBe('long');
  expect(groupOptions({ tries: undefined } as object, { tries: 7 }).tries).toBe(7);
});

test('groups are found by name, in the order of the config', async () => {
  expect(chosenGroups(config, [])).toEqual(['mail', 'far']);
  expect(chosenGroups(config, ['far', 'mail', 'far'])).toEqual(['mail', 'far']);
  const refused = (use: () => unknown) => errorOf(Promise.resolve().then(use));
  expect(await refused(() => chosenGroups(config, ['mial']))).toMatchObject({
    code: 'E_USAGE',
    message: 'there is no group "mial" in supervisors',
    fix: 'Did you mean mail?',
  });
  expect(await refused(() => configOfGroup(config, 'constructor'))).toMatchObject({
    fix: 'The groups are mail, far.',
  });
  expect(await refused(() => chosenGroups({ connections }, []))).toMatchObject({
    code: 'E_USAGE',
    message: 'the config has no groups of worker processes',
  });
});
