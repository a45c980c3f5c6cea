import { afterEach, expect } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import type { Connector, Lease, ReservedJob } from '../../src/index.js';
import { context } from './redis-per-test.js';
import type { RedisServer } from './redis-server.js';

export const list = '{queues:q}';
export const reservedKey = `${list}:reserved`;
export const leasesKey = `${list}:leases`;

/** The payload of a long job of 20 KB, unless it is told otherwise. */
export const longBody = (id: string, data = 'x'.repeat(20_000)): string =>
  `{"job":"a","data":${JSON.stringify(data)},"id":"${id}","attempts":0}`;

/** A long job to push for each id. */
export const longJobs = (...ids: string[]) => ids.map((id) => ({ id, body: longBody(id) }));

export const leasesOf = (jobs: readonly ReservedJob[]): Lease[] => jobs.map(({ lease }) => lease);

/** One trip to the queue `q`. */
export const trip = (by: Connector, limit: number, leases: readonly Lease[] = []) =>
  by.deleteAndReserve?.(leases, ['q'], limit, 60_000) ?? expect.unreachable('it has the verb');

/** Trips to the queue `q` until so many jobs are there: those of many long ones bring a part each. */
export async function trips(by: Connector, count: number): Promise<ReservedJob[]> {
  const jobs: ReservedJob[] = [];
  while (jobs.length < count) {
    const more = (await trip(by, count - jobs.length)).jobs;
    expect(more).not.toEqual([]);
    jobs.push(...more);
  }
  return jobs;
}

/** Pushes and reserves long jobs, which are held by their tokens. The first one of a queue never is: it is deleted. */
export async function heldByToken(by: Connector, count: number): Promise<ReservedJob[]> {
  const ids = Array.from({ length: count + 1 }, (_, at) => `j${at}`);
  await by.push('q', longJobs(...ids));
  const first = await by.reserve(['q'], 1, 60_000);
  expect(await by.delete(leasesOf(first))).toEqual([true]);
  const jobs = await trips(by, count);
  expect(jobs.map(({ lease }) => lease.handle)).toEqual(jobs.map(({ lease }) => lease.token));
  expect(jobs.map(({ id }) => id)).toEqual(ids.slice(1));
  return jobs;
}

/** One of them. */
export async function oneByToken(by: Connector): Promise<ReservedJob> {
  const [job] = await heldByToken(by, 1);
  return job ?? expect.unreachable('there is one');
}

/** Makes other workers of the test's server, which are closed with the test. */
export function otherWorkers(server: () => RedisServer): () => Connector {
  const opened: Connector[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });
  return () => {
    const one = redis(server().url).connect(context);
    opened.push(one);
    return one;
  };
}
