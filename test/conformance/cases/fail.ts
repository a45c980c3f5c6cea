import type { Capability, ConformanceCase } from '../harness.js';
import {
  failedRecord,
  holds,
  holdsSize,
  job,
  jobs,
  offered,
  pastLeaseMs,
  pushAndReserve,
  reserveAll,
  reserveOne,
} from '../steps.js';

const needs: readonly Capability[] = ['fail', 'failedJobs'];

/** Recording a failure and deleting the job as one operation; lost leases are under fencing. */
export const failCases: readonly ConformanceCase[] = [
  {
    name: 'fail: comes with a failed-job store',
    needs: ['fail'],
    async run({ connector }) {
      holds('fail records in failedJobs, so that is there', connector.failedJobs !== undefined, true);
    },
  },
  {
    name: 'fail: records the job and deletes it',
    needs,
    async run({ connector, other, advance }) {
      const held = await pushAndReserve(connector);
      const record = failedRecord(held);
      const answers = await offered(connector).fail([{ lease: held.lease, record }]);
      holds('fail answers true where the lease is held', answers, [true]);
      await holdsSize('a failed job is gone from its queue', connector, {});
      holds('fail keeps the record as given', await offered(other).failedJobs.list(), [record]);
      await advance(pastLeaseMs);
      holds('a failed job does not come back by itself', await reserveAll(other), []);
    },
  },
  {
    name: 'fail: a batch records every job',
    needs,
    async run({ connector }) {
      await connector.push('q', jobs(100));
      const held = await reserveAll(connector);
      const failures = held.map((one) => ({ lease: one.lease, record: failedRecord(one) }));
      holds('fail answers per lease', await offered(connector).fail(failures), Array(100).fill(true));
      const records = await offered(connector).failedJobs.list({ limit: 1000 });
      const jobIds = records.map(({ jobId }) => jobId).sort();
      holds('fail records every job', jobIds, held.map(({ id }) => id).sort());
      await holdsSize('fail deletes every job', connector, {});
    },
  },
  {
    name: 'fail: only those still held are recorded',
    needs,
    async run({ connector }) {
      await connector.push('q', jobs(3));
      const held = await reserveAll(connector);
      if (held[1]) await connector.release([{ lease: held[1].lease, delayMs: 0 }]);
      const failures = held.map((one) => ({ lease: one.lease, record: failedRecord(one) }));
      holds('fail answers per lease', await offered(connector).fail(failures), [true, false, true]);
      const jobIds = (await offered(connector).failedJobs.list()).map(({ jobId }) => jobId).sort();
      holds('fail records no job whose lease is lost', jobIds, ['job-0', 'job-2']);
      await holdsSize('fail deletes no job whose lease is lost', connector, { ready: 1 });
    },
  },
  {
    name: 'fail: a new job of an id that failed can fail too and replaces the record',
    needs,
    async run({ connector }) {
      const uuids: string[] = [];
      for (let life = 0; life < 2; life += 1) {
        await connector.push('q', [job('a')]);
        const held = await reserveOne(connector);
        const record = failedRecord(held, { failedAtMs: 1_750_000_000_000 + life });
        holds('fail answers true', await offered(connector).fail([{ lease: held.lease, record }]), [true]);
        uuids.push(record.uuid);
      }
      const kept = (await offered(connector).failedJobs.list()).map(({ uuid }) => uuid);
      holds('a record of the same connection, queue and job id replaces the older', kept, [uuids[1]]);
    },
  },
];
