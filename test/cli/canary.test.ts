import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliProject, type Result } from '../support/cli.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

// A password that stands wherever one can stand must come out nowhere.
const canary = 's3cr3t-CANARY';
let server: RedisServer;
let project: CliProject;
let env: NodeJS.ProcessEnv;

const config = `
import { defineConfig } from 'drover/config';
import { redis } from 'drover/drivers/redis';

const port = new URL(process.env.REDIS_URL).port;
export default defineConfig({
  default: 'main',
  connections: {
    main: redis(process.env.REDIS_URL),
    options: redis({ url: 'redis://127.0.0.1:' + port, user: 'default', password: process.env.APP_SECRET }),
    refused: redis({ url: 'redis://127.0.0.1:' + port, password: process.env.APP_SECRET + '-wrong' }),
    away: redis({ url: 'redis://:' + process.env.APP_SECRET + '@127.0.0.1:1', commandTimeout: '1s' }),
  },
  jobs: ['./jobs/*.mjs'],
  failed: { connection: 'main' },
  worker: { tries: 1 },
  onFailed({ error }) {
    throw error;
  },
});
`;

const jobs = `
import { existsSync } from 'node:fs';
import { inspect } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from 'drover';

class Client {
  url = process.env.REDIS_URL;
  options = { password: process.env.APP_SECRET };
  [inspect.custom]() { return this.options.password; }
  toString() { return this.url; }
  toJSON() { return this; }
}
const client = new Client();
const root = Object.assign(new Error('connect ' + client.url + '/0?password=' + client.options.password), { client });
const middle = Object.assign(new AggregateError([root], 'no host of ' + client.url), { client, cause: root });

export const leaks = defineJob({
  name: 'leaks',
  async handle({ log }) {
    while (!existsSync('go')) await sleep(10);
    const error = Object.assign(new TypeError('cannot reach ' + client.url, { cause: middle }), {
      client, config: client.options, code: client.url, request: { headers: { authorization: client.options.password } },
    });
    log.warn({ err: error }, 'about to fail');
    throw error;
  },
  failed({ error }) { throw error; },
});
export const object = defineJob({ name: 'object', handle() { throw client; } });
`;

beforeAll(async () => {
  server = await startRedis('--requirepass', canary);
  env = { REDIS_URL: server.url.replace('://', `://:${canary}@`), APP_SECRET: canary, DROVER_DEBUG: '1' };
  project = new CliProject({ 'drover.config.mjs': config, 'jobs/jobs.mjs': jobs });
});

afterAll(async () => {
  await project?.remove();
  await server?.stop();
});

const drover = (...args: string[]): Promise<Result> => project.start(args, { env }).exited;

/** The command lines of a process and all that came from it, as ps shows them. */
function commandLines(pid: number): string[] {
  const read = (path: string): string => {
    try {
      return readFileSync(`/proc/${path}`, 'utf8');
    } catch {
      return ''; // gone meanwhile
    }
  };
  const family = new Set([pid]);
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  for (const child of pids.sort((a, b) => a - b)) {
    const parent = Number(/^PPid:\s*(\d+)/m.exec(read(`${child}/status`))?.[1]);
    if (family.has(parent)) family.add(child);
  }
  return [...family].map((one) => read(`${one}/cmdline`).replaceAll('\0', ' '));
}

test('a password in the URL, the options and the environment comes out nowhere', async () => {
  const said: string[] = [];
  const hear = ({ stdout, stderr }: Result): void => void said.push(stdout, stderr);
  hear(await drover('push', 'leaks', '--id', 'one'));
  hear(await drover('push', 'object', '--id', 'two', '--connection', 'options'));

  const listener = project.start(['listen', '--json'], { env });
  await listener.line({ event: 'job:started', id: 'one' });
  const lines = commandLines(listener.process.pid as number);
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.join('\n')).toContain('queue:work');
  expect(lines.join('\n')).not.toContain(canary);
  project.write('go', '');
  await listener.line({ event: 'job:failed', id: 'one' });
  await listener.line({ event: 'job:failed', id: 'two' });
  listener.kill('SIGTERM');
  hear(await listener.exited);
  expect(listener.stderr).toContain('the failed hook of the job ended badly');
  expect(listener.stderr).toContain('onFailed of the config ended badly');

  hear(await drover('failed'));
  const record = await drover('failed', 'one');
  hear(record);
  expect(record.stdout).toMatch(/^error +TypeError: cannot reach redis:\/\/\*\*\*@127\.0\.0\.1/m);
  expect(record.stdout).toMatch(/^caused by +AggregateError: no host of redis:\/\/\*\*\*@/m);
  expect(record.stdout).toMatch(/^caused by +Error: connect redis:\/\/\*\*\*@\S+\?password=\*\*\*/m);
  hear(await drover('failed', '--json'));
  hear(await drover('retry', 'two', '--json'));
  hear(await drover('work', '--stop-when-empty'));

  for (const connection of ['refused', 'away']) {
    for (const command of [['size'], ['work', '--once'], ['push', 'leaks']]) {
      if (connection === 'away' && command[0] === 'work') continue; // it tries for half a minute
      const result = await drover(...command, '--connection', connection);
      expect(result.code).not.toBe(0);
      hear(result);
    }
  }

  const kept: string[] = [];
  const client = server.client;
  for (const key of await client.keys('*')) {
    kept.push(key);
    if ((await client.type(key)) === 'hash') kept.push(JSON.stringify(await client.hgetall(key)));
  }
  expect(kept.join('\n')).toContain('cannot reach redis://***@');
  expect(kept.join('\n')).not.toContain(canary);
  expect(said.join('\n')).toContain('redis://***@');
  expect(said.join('\n')).not.toContain(canary);
}, 120_000);
