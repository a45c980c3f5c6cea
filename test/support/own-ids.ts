import type { Connector, FailedJob, FailedJobStore, LiveJob, NewJob, ReservedJob } from '../../src/index.js';

/** The ids of one store: those that a case gave, and those that the store gave. */
export class GivenIds {
  readonly rows = new Map<string, string>();
  readonly uuids = new Map<string, string>();
}

/**
 * A connector whose store gives jobs their ids, as one that keeps the caller's: the id stands in the body with what was
 * given as the body. So the cases of the suite, which know jobs by their ids, can be run on it. What is left out is what
 * such a store cannot do: hold two jobs of one id apart.
 *
 * @param times `moved` where time passes by changing those that are stored, which the connector must then not know: it
 * gets leases as another process would have them.
 */
export function keepingIds(connector: Connector, given: GivenIds, times?: 'moved'): Connector {
  const { failedJobs } = connector;
  const kept: Partial<Connector> = {
    async push(queue, jobs) {
      const outcomes = await connector.push(queue, jobs.map(wrapped));
      for (const [index, outcome] of outcomes.entries()) {
        if (typeof outcome === 'object') given.rows.set(key(queue, jobs[index]?.id), outcome.storedAs);
      }
      return outcomes.map(() => 'stored' as const);
    },
    async reserve(...asked) {
      const jobs = (await connector.reserve(...asked)).map(unwrapped);
      return times === 'moved' ? jobs.map((job) => ({ ...job, lease: { ...job.lease } })) : jobs;
    },
    async extend(leases, leaseMs) {
      return await connector.extend(
        times === 'moved' ? leases.map((lease) => ({ ...lease })) : leases,
        leaseMs,
      );
    },
    async find(queue, id) {
      const found = await connector.find?.(queue, given.rows.get(key(queue, id)) ?? '0');
      return found ? unwrapped(found) : null;
    },
    peek: async (...asked) => ((await connector.peek?.(...asked)) ?? []).map(unwrapped),
    async fail(failures) {
      const wrappedOnes = failures.map(({ lease, record }) => ({ lease, record: wrappedRecord(record) }));
      const held = (await connector.fail?.(wrappedOnes)) ?? [];
      await learn(failures.map(({ record }) => record.uuid));
      return held;
    },
    ...(failedJobs && { failedJobs: failedStore(failedJobs) }),
  };
  return new Proxy(connector, {
    get(target, property) {
      if (Object.hasOwn(kept, property)) return kept[property as keyof Connector];
      const value = target[property as keyof Connector];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

  async function learn(uuids: readonly string[]): Promise<void> {
    for (const uuid of uuids) {
      const [row] = (await failedJobs?.find([uuid])) ?? [];
      if (row) given.uuids.set(row.uuid, uuid);
    }
  }

  function failedStore(store: FailedJobStore): FailedJobStore {
    const ownUuids = (uuids: readonly string[]) =>
      uuids.map((uuid) => [...given.uuids].find(([, own]) => own === uuid)?.[0] ?? uuid);
    const asGiven = (job: FailedJob): FailedJob => ({
      ...job,
      uuid: given.uuids.get(job.uuid) ?? job.uuid,
      payload: bodyOf(job.payload).body,
    });
    const retry = store.retry?.bind(store);
    return {
      async record(failures) {
        await store.record(failures.map(wrappedRecord));
        await learn(failures.map(({ uuid }) => uuid));
      },
      list: async (filter) => (await store.list(filter)).map(asGiven),
      find: async (ids) => (await store.find(ownUuids(ids))).map(asGiven),
      forget: (uuids) => store.forget(ownUuids(uuids)),
      flush: (options) => store.flush(options),
      ...(retry && { retry: (uuids: readonly string[]) => retry(ownUuids(uuids)) }),
    };
  }
}

function key(queue: string, id: unknown): string {
  return JSON.stringify([queue, id]);
}

function wrapped(job: NewJob): NewJob {
  return { ...job, body: ascii({ id: job.id, body: job.body }) };
}

function wrappedRecord(record: FailedJob): FailedJob {
  return { ...record, payload: ascii({ id: record.jobId, body: record.payload }) };
}

function ascii(value: object): string {
  return JSON.stringify(value).replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function bodyOf(text: string): { readonly id: string; readonly body: string } {
  return JSON.parse(text);
}

function unwrapped<Job extends ReservedJob | LiveJob>(job: Job): Job {
  return { ...job, ...bodyOf(job.body) };
}
