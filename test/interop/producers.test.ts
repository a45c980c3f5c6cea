import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, type Driver, defineJob } from '../../src/index.js';
import { examplesOf, readDocument } from '../support/examples.js';
import { isAsked, pythonWithRedis } from '../support/install-servers.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { ServerSandbox } from '../support/server-sandbox.js';

const examples = examplesOf(readDocument('docs/wire-format.md'));
const commands: Readonly<Record<string, () => readonly string[]>> = {
  php: () => ['php'],
  py: () => [pythonWithRedis() ?? 'python3'],
  go: () => ['go', 'run'],
  sh: () => ['sh', '-eu'],
};

let folder: string;
let server: RedisServer;
let sandbox: ServerSandbox;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-producers-'));
  [server, sandbox] = await Promise.all([startRedis(), new ServerSandbox('mariadb').make()]);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server?.stop();
  await sandbox?.clean();
});

/** Runs a program of the document; answers the ids that it printed. */
function produce(name: string, env: Readonly<Record<string, string>>): string[] {
  const { code = '' } = examples.find(({ run }) => run === name) ?? {};
  writeFileSync(join(folder, name), code);
  const [command = '', ...words] = commands[name.slice(name.lastIndexOf('.') + 1)]?.() ?? [];
  const result = spawnSync(command, [...words, join(folder, name)], {
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
    encoding: 'utf8',
    timeout: 25_000,
  });
  expect(result.status, `${name}: ${result.error ?? result.stderr}`).toBe(0);
  return result.stdout.trim().split('\n');
}

/** A worker that knows the job, and what it ran. */
function consumer(driver: Driver) {
  const ran: unknown[] = [];
  const send = defineJob({
    name: 'mail.send',
    queue: 'mail',
    handle: ({ data, job }) => void ran.push({ id: job.id, attempts: job.attempts(), data }),
  });
  const queue = createQueue({ connections: { default: driver }, jobs: [send] });
  const work = () => queue.worker({ queues: ['mail'], stopWhenEmpty: true, sleep: '10ms' }).run();
  return { queue, ran, work };
}

const data = { to: 'Zoë', options: {} };

// Who has no PHP or Python with these packages asks for a skip by name: DROVER_SKIP=test/interop/producers
const isSkipped = (process.env.DROVER_SKIP ?? '').includes('test/interop/producers');

test('the document has them all', () => {
  const names = ['producer.php', 'producer.py', 'producer.go', 'producer.sh', 'producer-pdo.php'];
  expect(examples.map(({ run }) => run)).toEqual(names);
});

// The compiler is a download of 80 MB, and takes seconds to make this one program: DROVER_WITH=go asks for it.
describe
  .skipIf(isSkipped)
  .each(['producer.php', 'producer.py', 'producer.sh', ...(isAsked('go') ? ['producer.go'] : [])])(
  '%s',
  (name) => {
    test('pushes what a worker runs, in the form that is never rewritten', async () => {
      await server.client.flushall();
      const [first, second] = produce(name, { REDIS_PORT: String(server.port) });
      expect(first).not.toBe(second);
      const stored = [
        ...(await server.client.lrange('{queues:mail}', 0, -1)),
        ...(await server.client.zrange('{queues:mail}:delayed', '0', '-1')),
      ];
      expect(stored.map((text) => text.slice(-60))).toEqual(
        [first, second].map((id) => expect.stringMatching(new RegExp(`,"id":"${id}","attempts":0}$`))),
      );
      const { queue, ran, work } = consumer(redis({ url: server.url }));
      await work();
      expect(ran).toEqual([{ id: first, attempts: 1, data }]);
      expect(await queue.size('mail')).toEqual({ ready: 0, delayed: 1, reserved: 0 });
      await server.advance(58_000);
      await work();
      expect(ran).toHaveLength(1);
      await server.advance(3000);
      await work();
      expect(ran[1]).toEqual({ id: second, attempts: 1, data: { to: 'later' } });
      await queue.close();
      expect(await server.keys()).toEqual([]);
    });
  },
);

test.skipIf(isSkipped)('producer-pdo.php pushes what a worker runs', async () => {
  const { queue, ran, work } = consumer(database(sandbox.url));
  await queue.migrate();
  const { hostname, port, pathname } = new URL(sandbox.url);
  const [first, second] = produce('producer-pdo.php', {
    DATABASE_DSN: `mysql:host=${hostname};port=${port};dbname=${pathname.slice(1)};charset=utf8mb4`,
    DATABASE_USER: 'root',
  });
  await work();
  expect(ran).toEqual([{ id: first, attempts: 1, data }]);
  const [waiting] = await queue.list({ queue: 'mail' });
  expect(waiting).toMatchObject({ id: second, state: 'delayed', attempts: 0 });
  expect((waiting?.dueAtMs ?? 0) - (waiting?.createdAtMs ?? 0)).toBe(60_000);
  await queue.close();
});
