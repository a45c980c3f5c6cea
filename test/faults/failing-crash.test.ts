import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, defineJob, type Queue } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { ServerSandbox } from '../support/server-sandbox.js';

// Every store at once: what takes time here is the lease of a dead process.
const stores = ['sqlite', 'redis', 'mariadb', 'postgres'] as const;
const folder = mkdtempSync(join(tmpdir(), 'drover-failing-'));
const sandboxes = [new ServerSandbox('mariadb'), new ServerSandbox('postgres')] as const;
const queues: Queue[] = [];
let server: RedisServer;

beforeAll(async () => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(import.meta.dirname, '../..'), join(folder, 'node_modules/drover'));
  server = await startRedis();
  await Promise.all(sandboxes.map((sandbox) => sandbox.make()));
});

afterAll(async () => {
  await Promise.all(queues.map((queue) => queue.close()));
  await server?.stop();
  await Promise.all(sandboxes.map((sandbox) => sandbox.clean()));
  rmSync(folder, { recursive: true, force: true });
});

/** The options of the stores, with tables and keys that only one test has. */
function optionsOf(own: string) {
  const [mariadb, postgres] = sandboxes;
  const lease = { lease: '2s' } as const;
  return {
    sqlite: { url: `sqlite:${join(folder, `${own}.sqlite`)}`, ...lease },
    redis: { url: server.url, prefix: `${own}:`, ...lease },
    mariadb: { url: mariadb.url, prefix: `${own}_`, ...lease },
    postgres: { url: postgres.url, prefix: `${own}_`, ...lease },
    graves: { url: `sqlite:${join(folder, `${own}-graves.sqlite`)}` },
  };
}

const worker = { timeout: '1s', grace: '500ms', tries: 1, sleep: '100ms' } as const;

function queueOf(own: string, handle: () => unknown): Queue {
  const { redis: onRedis, ...tables } = optionsOf(own);
  const connections = {
    ...Object.fromEntries(Object.entries(tables).map(([name, options]) => [name, database(options)])),
    redis: redis(onRedis),
  };
  const jobs = [defineJob({ name: 'job', handle, backoff: 0 })];
  const failed = { connection: 'graves' };
  const queue = createQueue({ default: 'graves', connections, jobs, failed, worker });
  queues.push(queue);
  return queue;
}

/** Works one job of each store in a process that has this `handle`, and in which drivers go through `wrap`. */
async function child(own: string, handle: string, wrap = '(driver) => driver'): Promise<string | number> {
  const file = join(folder, `${own}-${Math.random()}.mjs`);
  writeFileSync(
    file,
    `import { appendFileSync } from 'node:fs';
     import { createQueue, defineJob } from 'drover';
     import { database } from 'drover/drivers/database';
     import { redis } from 'drover/drivers/redis';
     const { redis: onRedis, graves, ...tables } = ${JSON.stringify(optionsOf(own))};
     let here = 0;
     const dieTogether = () => {
       if (++here === ${stores.length}) process.kill(process.pid, 'SIGKILL');
       return new Promise(() => {});
     };
     const wrap = ${wrap};
     const connections = { redis: wrap(redis(onRedis)), graves: database(graves) };
     for (const [name, options] of Object.entries(tables)) connections[name] = wrap(database(options));
     const handle = ({ job }) => {
       appendFileSync(${JSON.stringify(join(folder, `${own}.log`))}, job.connection + '\\n');
       return (${handle})();
     };
     const jobs = [defineJob({ name: 'job', handle, backoff: 0 })];
     const queue = createQueue({ default: 'graves', connections, jobs, failed: { connection: 'graves' }, worker: ${JSON.stringify(worker)} });
     await Promise.all(${JSON.stringify(stores)}.map((name) => queue.connection(name).worker({ maxJobs: 1 }).run()));
     await queue.close();`,
  );
  const [code, signal] = await once(
    spawn(process.execPath, [file], { stdio: ['ignore', 'inherit', 'inherit'] }),
    'exit',
  );
  return signal ?? code;
}

const runsOf = (own: string) =>
  readFileSync(join(folder, `${own}.log`), 'utf8')
    .trim()
    .split('\n')
    .sort();

/** Works off what is there once the leases of a dead process have lapsed. */
async function workOff(queue: Queue): Promise<void> {
  const isLeft = async (name: string) => {
    await queue.connection(name).worker({ stopWhenEmpty: true }).run();
    const { ready, delayed, reserved } = await queue.connection(name).size();
    return ready + delayed + reserved > 0;
  };
  for (const name of stores) while (await isLeft(name)) await sleep(50);
}

test.concurrent('a worker dies between record and delete: the job fails again, unrun, with one record', async () => {
  let runs = 0;
  const queue = queueOf('between', () => runs++);
  for (const name of stores) await queue.connection(name).push('job', null, { id: name });
  const dying = `(driver) => ({ ...driver, connect: (context) => Object.assign(driver.connect(context), { delete: dieTogether }) })`;
  const throwing = `() => { throw new Error('boom'); }`;
  expect(await child('between', throwing, dying)).toBe('SIGKILL');
  expect(runsOf('between')).toEqual([...stores].sort());
  const before = await queue.failed.list();
  expect(before.map(({ jobId }) => jobId).sort()).toEqual([...stores].sort());
  for (const name of stores) {
    const { ready, reserved } = await queue.connection(name).size();
    expect(ready + reserved, name).toBe(1); // in both places, never in none
  }

  await workOff(queue);
  expect(runs).toBe(0);
  const after = await queue.failed.list();
  expect(after.map(({ jobId, connection }) => [jobId, connection]).sort()).toEqual(
    stores.map((name) => [name, name]).sort(),
  );
});

test.concurrent('maxExceptions counts across processes, and no attempt that ended with its worker', async () => {
  const queue = queueOf('counts', () => {
    throw new Error('the second');
  });
  for (const name of stores) {
    await queue.connection(name).push('job', null, { id: name, tries: 0, maxExceptions: 2 });
  }
  expect(await child('counts', `() => { throw new Error('the first'); }`)).toBe(0);
  expect(await child('counts', 'dieTogether')).toBe('SIGKILL');
  expect(runsOf('counts')).toEqual([...stores, ...stores].sort());
  expect(await queue.failed.list()).toEqual([]);
  await workOff(queue);
  const records = await queue.failed.list();
  const shown = records.map(({ jobId, reason, attempts, message }) => [jobId, reason, attempts, message]);
  expect(shown.sort()).toEqual(stores.map((name) => [name, 'max-exceptions', 3, 'the second']).sort());
});
