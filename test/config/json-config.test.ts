import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, openQueue } from './built.js';
import { errorOf, makeProject, runIn } from './project.js';

const env = {};

function projectWith(config: unknown): Promise<string> {
  return makeProject({ 'drover.config.json': JSON.stringify(config) });
}

describe('a config in JSON', () => {
  test('names its drivers and gives them their options', async () => {
    const cwd = await projectWith({
      default: 'files',
      connections: {
        files: { driver: 'sqlite', url: 'sqlite:./q.sqlite', lease: '5m', queue: 'mail', table: 'mail_jobs' },
        plain: { driver: 'database' },
        fleeting: { driver: 'memory', retry_after: 120 },
        inline: { driver: 'sync' },
      },
      worker: { timeout: '2m', backoff: ['1s', '5m'] },
      failed: { connection: 'files' },
    });
    const { config } = await loadConfig({ cwd, env });
    const { files, plain, fleeting, inline } = config.connections;
    expect(files).toMatchObject({ driver: 'database', settings: { leaseMs: 300_000, queue: 'mail' } });
    expect(plain).toMatchObject({ driver: 'database', settings: { leaseMs: 90_000, queue: 'default' } });
    expect(fleeting).toMatchObject({ driver: 'memory', settings: { leaseMs: 120_000 } });
    expect(inline).toMatchObject({ driver: 'sync' });
    expect(config).toMatchObject({
      default: 'files',
      worker: { timeout: '2m' },
      failed: { connection: 'files' },
    });
  });

  test('opens a queue with the jobs of its globs', async () => {
    const cwd = await makeProject({
      'drover.config.json':
        '\uFEFF{ "connections": { "main": { "driver": "memory" } }, "jobs": "jobs/*.mjs" }',
      'jobs/a.mjs': `import { defineJob } from 'drover';
        export const a = defineJob({ name: 'a', handle() {} });`,
    });
    expect((await openQueue({ cwd, env })).jobNames).toEqual(['a']);
  });

  test('without a url `database` reads DATABASE_URL, and `sqlite` does not', async () => {
    const cwd = await projectWith({
      default: 'one',
      connections: {
        one: { driver: 'database' },
        two: { driver: 'sqlite' },
        three: { driver: 'database', url: 'sqlite:./three.sqlite' },
      },
    });
    const code = `import { openQueue } from 'drover/config';
      import { existsSync } from 'node:fs';
      const queue = await openQueue({ env: { DATABASE_URL: 'sqlite:./env.sqlite' } });
      for (const [name, file] of [['one', 'env'], ['two', 'drover'], ['three', 'three']]) {
        await queue.connection(name).push('hello');
        console.log(existsSync(file + '.sqlite'));
      }
      await queue.close();`;
    expect(await runIn(cwd, code)).toBe('true\ntrue\ntrue\n');
  });

  test('a DATABASE_URL that the driver refuses is blamed, and not shown', async () => {
    const cwd = await projectWith({ connections: { main: { driver: 'database' } } });
    const error = await errorOf(loadConfig({ cwd, env: { DATABASE_URL: 'mssql://app:CANARY@db/app' } }));
    expect(error).toMatchObject({ code: 'E_UNSUPPORTED' });
    expect(error.message).toMatch(/^drover\.config\.json: connections\.main\.url: .*\(from DATABASE_URL\)$/);
    expect(`${error.stack}${error.fix}`).not.toContain('CANARY');
  });
});

describe('what is wrong with a config in JSON', () => {
  test('redis takes signals, and what is wrong in them is named', async () => {
    const main = { driver: 'redis', url: 'redis://h', signals: { db: 3, prefix: 'tp:' } };
    const cwd = await projectWith({ connections: { main } });
    expect((await loadConfig({ cwd, env: {} })).config.connections.main?.driver).toBe('redis');
    const wrong = await projectWith({ connections: { main: { ...main, signals: { db: '3' } } } });
    const error = await errorOf(loadConfig({ cwd: wrong, env: {} }));
    expect(error.message).toContain('connections.main.signals.db: is not the number of a database');
  });

  test('a Redis Cluster stands in place of REDIS_URL', async () => {
    const cluster = [{ host: '10.0.0.1', port: 6379 }];
    const cwd = await projectWith({ connections: { main: { driver: 'redis', cluster } } });
    const { config } = await loadConfig({ cwd, env: { REDIS_URL: 'redis://r/2' } });
    expect(config.connections.main?.driver).toBe('redis');
  });

  test('redis takes its URL from the config, then from REDIS_URL, and never shows it', async () => {
    const cwd = await projectWith({ connections: { main: { driver: 'redis', prefix: 'app:' } } });
    const { config } = await loadConfig({ cwd, env: { REDIS_URL: 'redis://:CANARY@r/2' } });
    expect(config.connections.main?.driver).toBe('redis');
    const error = await errorOf(loadConfig({ cwd, env: { REDIS_URL: 'http://:CANARY@r' } }));
    expect(error.message).toBe(
      'drover.config.json: connections.main.url: http: is no protocol of Redis (from REDIS_URL)',
    );
    expect(`${error.stack}${error.fix}`).not.toContain('CANARY');
  });

  test('everything is told at once', async () => {
    const cwd = await projectWith({
      default: 'd',
      connections: {
        a: { driver: 'memmory' },
        b: { driver: 'constructor' },
        c: { url: 'sqlite:./x.sqlite' },
        d: { driver: 'memory', leese: '5m' },
        e: { driver: 'memory', lease: 'soon' },
        f: 'mysql://app:CANARY@db/app',
        g: { driver: 'redis', url: 'redis://:CANARY@r/x' },
        h: { driver: 'database', url: 'mssql://app:CANARY@db/app' },
        i: { driver: 'memory', history: { keeps: 5 } },
        j: { driver: 'sqlite', histroy: { keep: 5 } },
        'odd name': null,
      },
      workers: {},
      worker: { timeout: '2h' },
    });
    const error = await errorOf(loadConfig({ cwd, env }));
    expect(error.code).toBe('E_CONFIG');
    const [head, ...lines] = error.message.split('\n').map((line) => line.trim());
    expect(head).toBe('drover.config.json: 12 problems');
    expect(lines).toEqual([
      'connections.a.driver: there is no driver "memmory"; did you mean memory?',
      'connections.b.driver: there is no driver "constructor"; the drivers are database, sqlite, redis, webman, memory, sync',
      'connections.c.driver: is missing; the drivers are database, sqlite, redis, webman, memory, sync',
      'connections.d.leese: unknown key; did you mean lease?',
      expect.stringMatching(/^connections\.e\.lease: 'soon' is not a time span\. Write/),
      expect.stringMatching(/^connections\.f: is text, not an object\. Write/),
      expect.stringMatching(/^connections\.g\.url: the path is not the number of a database/),
      expect.stringMatching(/^connections\.h\.url: mssql: /),
      expect.stringMatching(/^connections\.i\.history\.keeps: there is no such key; did you mean keep\?/),
      'connections.j.histroy: unknown key; did you mean history?',
      'connections."odd name": is null, not an object. Write { "driver": "database", "url": "sqlite:./drover.sqlite" }.',
      'workers: unknown key; did you mean worker?',
    ]);
    expect(error.stack).not.toContain('CANARY');
  });

  test.each([
    ['{\n  "connections": {},\n}', /^drover\.config\.json:3 is not JSON: /],
    [
      '{ "url": "mysql://app:CANARY@db", "x": nope }',
      /^drover\.config\.json is not JSON: Unexpected token 'o'$/,
    ],
    ['', /is not JSON: Unexpected end/],
  ])('%j is not JSON', async (text, message) => {
    const cwd = await makeProject({ 'drover.config.json': text });
    const error = await errorOf(loadConfig({ cwd, env }));
    expect(error.code).toBe('E_CONFIG');
    expect(error.message).toMatch(message);
    expect(`${error.stack}${error.cause}`).not.toContain('CANARY');
  });

  test.each(['[]', '"text"', 'null', '{ "connections": [] }', '{ "__proto__": { "connections": {} } }'])(
    '%s is no config',
    async (text) => {
      const cwd = await makeProject({ 'drover.config.json': text });
      expect((await errorOf(loadConfig({ cwd, env }))).code).toBe('E_CONFIG');
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  );

  test('a file asked for by name may have any name', async () => {
    const cwd = await makeProject({ 'etc/q.json': '{ "connections": { "m": { "driver": "memory" } } }' });
    expect((await loadConfig({ cwd, env, file: 'etc/q.json' })).file).toBe(join(cwd, 'etc/q.json'));
  });
});
