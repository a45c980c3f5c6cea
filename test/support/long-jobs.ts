import { expect } from 'vitest';
import type { Connector, Lease, ReservedJob } from '../../src/index.js';

/** The payload of a long job of 20 KB, unless it is told otherwise. */
export const longBody = (id: string, data = 'x'.repeat(20_000)): string =>
  `{"job":"a","data":${JSON.stringify(data)},"id":"${id}","attempts":0}`;

/** A long job to push for each id. */
export const longJobs = (...ids: string[]) => ids.map((id) => ({ id, body: longBody(id) }));

export const leasesOf = (jobs: readonly ReservedJob[]): Lease[] => jobs.map(({ lease }) => lease);

/** One trip to the queue `q`. */
export const trip = (by: Connector, limit: number, leases: readonly Lease[] = []) =>
  by.deleteAndReserve?.(leases, ['q'], limit, 60_000) ?? expect.unreachable('it has the verb');

/** Pushes and reserves long jobs, which are held by their tokens. The first one of a queue never is: it is deleted. */
export async function heldByToken(by: Connector, count: number): Promise<ReservedJob[]> {
  const ids = Array.from({ length: count + 1 }, (_, at) => `j${at}`);
  await by.push('q', longJobs(...ids));
  const first = await by.reserve(['q'], 1, 60_000);
  const { held, jobs } = await trip(by, count, leasesOf(first));
  expect(held).toEqual([true]);
  expect(jobs.map(({ lease }) => lease.handle)).toEqual(jobs.map(({ lease }) => lease.token));
  expect(jobs.map(({ id }) => id)).toEqual(ids.slice(1));
  return jobs;
}
