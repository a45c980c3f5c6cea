import type { MemoryConnector } from '../../drivers/memory/connector.js';
import type { Connector, ReservedJob } from '../../src/index.js';
import { delegateTo } from './delegate.js';

/** A SELECT and then an UPDATE: reserves that overlap read the same rows. */
export function reserveInTwoSteps(memory: MemoryConnector): Connector {
  let reading: Promise<ReservedJob[]> | undefined;
  return {
    ...delegateTo(memory),
    async reserve(queues, limit, leaseMs) {
      reading ??= memory.reserve(queues, limit, leaseMs);
      const rows = await reading;
      await new Promise(setImmediate);
      reading = undefined;
      return rows;
    },
  };
}

/** Attempts that are counted in the process that reserves, and so start anew each time. */
export function attemptsNotStored(memory: MemoryConnector): Connector {
  return {
    ...delegateTo(memory),
    async reserve(queues, limit, leaseMs) {
      const reserved = await memory.reserve(queues, limit, leaseMs);
      return reserved.map((job) => ({ ...job, attempts: 1 }));
    },
  };
}

/** The last due job of a queue first: a list that is popped at the end where it is pushed. */
export function newestFirst(memory: MemoryConnector): Connector {
  return {
    ...delegateTo(memory),
    async reserve(queues, limit, leaseMs) {
      const taken: ReservedJob[] = [];
      for (const queue of queues) {
        const due = await memory.reserve([queue], Number.POSITIVE_INFINITY, leaseMs);
        const chosen = due.splice(Math.max(0, due.length - (limit - taken.length)));
        await memory.unreserve(due.map(({ lease }) => lease));
        taken.push(...chosen.reverse());
      }
      return taken;
    },
  };
}

/** A marker per id that outlives the job, so that no later job of that id is let in. */
export function idsRememberedForEver(memory: MemoryConnector): Connector {
  const base = delegateTo(memory);
  const seen = new Set<string>();
  const isNew = (queue: string, id: string): boolean => !seen.has(JSON.stringify([queue, id]));
  return {
    ...base,
    async push(queue, jobs) {
      const accepted = jobs.filter(({ id }) => isNew(queue, id));
      const acceptedIds = new Set(accepted.map(({ id }) => id));
      const outcomes = await memory.push(queue, accepted);
      for (const { id } of accepted) seen.add(JSON.stringify([queue, id]));
      return jobs.map(({ id }) => (acceptedIds.has(id) ? (outcomes.shift() ?? 'stored') : 'already-there'));
    },
    failedJobs: {
      ...base.failedJobs,
      async retry(uuids) {
        const records = await memory.failedJobs.find(uuids);
        const swallowed = records.filter(({ queue, jobId }) => !isNew(queue, jobId)).map(({ uuid }) => uuid);
        await memory.failedJobs.forget(swallowed);
        const outcomes = await memory.failedJobs.retry(uuids.filter((uuid) => !swallowed.includes(uuid)));
        return uuids.map((uuid) =>
          swallowed.includes(uuid) ? 'retried' : (outcomes.shift() ?? 'not-found'),
        );
      },
    },
  };
}

/** A sorted set with the body as its member: the second of two equal ones is the first. */
export function equalBodiesCollapse(memory: MemoryConnector): Connector {
  const waiting = new Map<string, Map<string, string>>();
  const idsByBody = (queue: string): Map<string, string> => {
    const ids = waiting.get(queue) ?? new Map();
    waiting.set(queue, ids);
    return ids;
  };
  return {
    ...delegateTo(memory),
    async push(queue, jobs) {
      const ids = new Map(idsByBody(queue));
      const members = jobs.filter(({ id, body }) => {
        const isMember = (ids.get(body) ?? id) === id;
        if (isMember) ids.set(body, id);
        return isMember;
      });
      const outcomes = await memory.push(queue, members);
      waiting.set(queue, ids);
      return jobs.map((job) => (members.includes(job) ? (outcomes.shift() ?? 'stored') : 'stored'));
    },
    async reserve(queues, limit, leaseMs) {
      const reserved = await memory.reserve(queues, limit, leaseMs);
      for (const { queue, body } of reserved) idsByBody(queue).delete(body);
      return reserved;
    },
    async clear(queue, options) {
      waiting.delete(queue);
      return memory.clear(queue, options);
    },
  };
}
