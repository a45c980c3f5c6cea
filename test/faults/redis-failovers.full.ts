import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type Outage, worksThrough } from '../support/outage.js';
import type { Toll } from '../support/outage-verdict.js';
import { addReplica, startRedisCluster } from '../support/redis-cluster.js';
import { type SentinelGroup, startSentinelGroup } from '../support/redis-sentinel.js';
import { unhandledDuring } from '../support/unhandled.js';

// Replicas take over from a master that is killed while jobs are pushed and run. What they had not received is lost, or
// runs again: they are told of it with the answer to those who pushed, and on loopback they are not far behind.
const behindMs = 1000;

const commandTimeoutMs = 500;
const shared = { lease: '10s', commandTimeout: commandTimeoutMs / 1000 } as const;
const stopping: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(stopping.splice(0).map((one) => one.stop()));
});

async function tollOf(where: string, outage: Outage): Promise<Toll> {
  const tolls: Toll[] = [];
  const works = async () => void tolls.push(await worksThrough(outage));
  expect(await unhandledDuring(works)).toEqual([]);
  const [toll] = tolls as [Toll];
  console.log(
    `${where}: ${toll.accepted} jobs, ${toll.lost} lost, ${toll.doubled} ran twice; ` +
      `a queue stood still for ${toll.standstillMs} ms`,
  );
  return toll;
}

describe('Sentinel, one master and two replicas: a worker goes on at the new master', () => {
  /** @param needsReplica whether a master without a replica refuses writes. */
  async function meets(
    what: string,
    end: (group: SentinelGroup) => Promise<void>,
    signal: NodeJS.Signals,
    needsReplica = false,
  ): Promise<Toll> {
    const group = await startSentinelGroup({ replicas: 2 });
    stopping.push(group);
    const { sentinels, name, master, replicas } = group;
    for (const { client } of needsReplica ? [master, ...replicas] : []) {
      await client.config('SET', 'min-replicas-max-lag', '1');
      await client.config('SET', 'min-replicas-to-write', '1');
    }
    const roles = () => Promise.all(replicas.map(({ client }) => client.info('replication')));
    const happen = async (): Promise<void> => {
      master.process.kill(signal);
      while (!(await roles()).some((role) => role.includes('role:master'))) await pause(20);
      await end(group);
    };
    const driver = () => redis({ ioredis: { sentinels: [...sentinels], name }, ...shared });
    const outage = {
      driver,
      happen,
      queues: ['q'],
      repeatsPushesAfterMs: commandTimeoutMs,
      forgetsMs: behindMs,
    };
    return await tollOf(`Sentinel, a master that ${what}`, outage);
  }

  /** It takes itself for the master until Sentinel tells it otherwise, some 10 s later. */
  const isBack = async ({ master }: SentinelGroup): Promise<void> => {
    master.process.kill('SIGCONT');
    while (!(await master.client.info('replication')).includes('role:slave')) await pause(20);
  };

  test('when its own is killed', async () => {
    await meets('is killed', async () => {}, 'SIGKILL');
  }, 180_000);

  test('when its own hangs, and is back later, demoted', async () => {
    await meets('hangs and is back', isBack, 'SIGSTOP');
  }, 180_000);

  test('when its own hangs, and must have a replica: nothing is lost, and nothing runs twice', async () => {
    const toll = await meets('hangs, is back and lacks replicas', isBack, 'SIGSTOP', true);
    expect(toll).toMatchObject({ lost: 0, doubled: 0 });
  }, 180_000);
});

test('a Cluster of three masters and three replicas: a worker goes on at the new master, and with the others all the while', async () => {
  const cluster = await startRedisCluster(() => ['--cluster-require-full-coverage', 'no']);
  stopping.push(cluster);
  for (const master of cluster.nodes) stopping.push(await addReplica(cluster, master));
  const master = await cluster.nodeOf('{queues:high}');
  const others = cluster.nodes.filter((node) => node !== master);
  const happen = async (): Promise<void> => {
    master.process.kill('SIGKILL');
    for (const { client } of others) {
      const isServed = async () =>
        String(await client.call('CLUSTER', 'INFO')).includes('cluster_slots_fail:0');
      const hasFailed = async () => String(await client.call('CLUSTER', 'NODES')).includes('master,fail ');
      while (!((await hasFailed()) && (await isServed()))) await pause(20);
    }
  };
  const driver = () => redis({ cluster: cluster.seeds, ...shared });
  await tollOf('Cluster', {
    driver,
    happen,
    queues: ['low', 'high', 'other'],
    repeatsPushesAfterMs: commandTimeoutMs,
    forgetsMs: behindMs,
  });
}, 240_000);
