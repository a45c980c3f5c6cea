import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { type RedisServer, startRedis } from './redis-server.js';

/** One master with replicas, and sentinels that watch over them. */
export interface SentinelGroup {
  /** For `ioredis: { sentinels, name }`. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly name: string;
  readonly master: RedisServer;
  readonly replicas: readonly [RedisServer, ...RedisServer[]];
  readonly watchers: readonly ChildProcess[];
  stop(): Promise<void>;
}

const name = 'main';

interface GroupShape {
  /** Default 3. */
  readonly sentinels?: number;
  /** Default 1. */
  readonly replicas?: number;
  /** Until a sentinel takes a master that does not answer for dead. */
  readonly downAfterMs?: number;
  /** More of the servers' command lines. */
  readonly flags?: readonly string[];
}

/** Starts all of them, and waits until each sentinel knows the replicas and the other sentinels. */
export async function startSentinelGroup({
  sentinels: count = 3,
  replicas: replicaCount = 1,
  downAfterMs = 500,
  flags = [],
}: GroupShape = {}): Promise<SentinelGroup> {
  const started: { stop(): Promise<void> }[] = [];
  const keep = <T extends { stop(): Promise<void> }>(one: T): T => {
    started.push(one);
    return one;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.stop()));
  };
  try {
    const common = ['--repl-diskless-sync-delay', '0', ...flags];
    const master = keep(await startRedis(...common));
    const replicas = [await startReplica(master, common)] as [RedisServer, ...RedisServer[]];
    keep(replicas[0]);
    while (replicas.length < replicaCount) replicas.push(keep(await startReplica(master, common)));
    const starting = Array.from({ length: count }, () =>
      startSentinel(master.port, Math.floor(count / 2) + 1, downAfterMs),
    );
    const watchers = (await Promise.all(starting)).map(keep);
    for (const { client } of watchers) await untilAware(client, replicaCount, count - 1);
    return {
      sentinels: watchers.map(({ port }) => ({ host: '127.0.0.1', port })),
      name,
      master,
      replicas,
      watchers: watchers.map(({ process }) => process),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startReplica(master: RedisServer, flags: readonly string[]): Promise<RedisServer> {
  const replica = await startRedis(...flags, '--replicaof', `127.0.0.1 ${master.port}`);
  while (!(await replica.client.info('replication')).includes('master_link_status:up')) await pause(20);
  return replica;
}

interface Sentinel {
  readonly port: number;
  readonly client: Redis;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

async function startSentinel(masterPort: number, quorum: number, downAfterMs: number): Promise<Sentinel> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  const port = await freePort();
  // A sentinel writes what it learns into its file.
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 5000`,
  ];
  writeFileSync(file, lines.join('\n'));
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {});
  return {
    port,
    client,
    process: child,
    stop: async () => {
      client.disconnect();
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilAware(client: Redis, replicas: number, others: number): Promise<void> {
  for (;;) {
    const told = (await client.call('SENTINEL', 'MASTER', name)) as string[];
    const countOf = (key: string): number => Number(told[told.indexOf(key) + 1]);
    if (countOf('num-slaves') === replicas && countOf('num-other-sentinels') === others) return;
    await pause(20);
  }
}
