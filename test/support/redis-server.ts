import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';

/** A Redis server of its own for one test file. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly socket: string;
  /** The one that runs now. */
  readonly process: ChildProcess;
  /** A plain client, for what a test does behind the driver's back. */
  readonly client: Redis;
  /** Lets time pass for every queue and worker: all due times and ends of leases and beats come nearer. */
  advance(ms: number): Promise<void>;
  /** Milliseconds since the epoch by the server's clock. */
  now(): Promise<number>;
  /** All keys but statistics, and the marks of those that wait for jobs, which expire by themselves. */
  keys(): Promise<string[]>;
  /** Ends the process by SIGKILL, and leaves its folder. */
  crash(): Promise<void>;
  /**
   * After a crash: starts it on the same port and folder with the same flags and these, and resolves once it is ready,
   * or, where it takes a while to load what it had saved, as soon as it answers that.
   */
  restart(...flags: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Keys that tell of no job: the marks of those that wait for a queue, of webman's pushes, and statistics. */
export const besideJobs = /:(?:watcher|wake)$|-drover:push:|\{drover\}:stats/;

const shift = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  if string.find(key, '[:-]delayed$') or string.find(key, ':leases$') or string.find(key, ':reserved$') or string.find(key, ':workers:until$') then
    local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for at = 1, #all, 2 do
      redis.call('ZADD', key, string.format('%.17g', tonumber(all[at + 1]) - tonumber(ARGV[1])), all[at])
    end
  end
end`;

/**
 * Starts redis-server on loopback, in an empty folder, without persistence.
 *
 * @param flags more of its command line, such as `--maxmemory`.
 */
export async function startRedis(...flags: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-redis-'));
  const port = await freePort();
  const socket = join(folder, 'redis.sock');
  const own = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--unixsocket',
    socket,
    '--dir',
    folder,
    '--save',
    '',
  ];
  const spawnIt = (more: readonly string[]): ChildProcess =>
    spawn('redis-server', [...own, ...flags, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  let child = spawnIt([]);
  await untilSaid(child, 'eady to accept connections');
  const client = new Redis({ port, host: '127.0.0.1', ...passwordIn(flags) });
  client.on('error', () => {});
  const crash = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    socket,
    get process() {
      return child;
    },
    client,
    advance: async (ms) => {
      await client.eval(shift, 0, ms / 1000);
    },
    now: async () => {
      const [seconds, micros] = await client.time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    },
    keys: async () => (await client.keys('*')).filter((key) => !besideJobs.test(key)),
    crash,
    restart: async (...more) => {
      child = spawnIt(more);
      const isSlow = more.includes('--key-load-delay');
      await untilSaid(child, isSlow ? 'Loading RDB' : 'eady to accept connections');
    },
    stop: async () => {
      client.disconnect();
      await crash();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilSaid(child: ChildProcess, what: string): Promise<void> {
  if (child.stdout === null) throw new Error('redis-server has no output');
  child.on('error', () => {}); // told by the end of its output
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (!line.includes(what)) continue;
    child.stdout.resume(); // a full pipe would stop the server
    return;
  }
  throw new Error(`redis-server did not start:\n${said.join('\n')}`);
}

function passwordIn(flags: readonly string[]): { password?: string } {
  const at = flags.indexOf('--requirepass');
  const password = at < 0 ? undefined : flags[at + 1];
  return password === undefined ? {} : { password };
}
