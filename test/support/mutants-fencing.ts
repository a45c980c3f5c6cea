import type { MemoryConnector } from '../../drivers/memory/connector.js';
import type { Connector, Lease, ReservedJob } from '../../src/index.js';
import { type Delegate, delegateTo, NewestLeases } from './delegate.js';

/** A delegate whose `newest` knows who was handed each job last. */
function withNewestLeases(memory: MemoryConnector): { base: Delegate; newest: NewestLeases } {
  const newest = new NewestLeases();
  const base = delegateTo(memory);
  const reserve: Delegate['reserve'] = async (queues, limit, leaseMs) => {
    const reserved = await memory.reserve(queues, limit, leaseMs);
    newest.remember(reserved);
    return reserved;
  };
  return { base: { ...base, reserve }, newest };
}

/** `DELETE ... WHERE id = ?`: whoever has the job, it is gone. */
export function deleteWithoutToken(memory: MemoryConnector): Connector {
  const { base, newest } = withNewestLeases(memory);
  return { ...base, delete: (leases) => memory.delete(leases.map((lease) => newest.of(lease))) };
}

/** `UPDATE ... SET attempts = attempts - 1, reserved = NULL WHERE id = ?`. */
export function unreserveWithoutToken(memory: MemoryConnector): Connector {
  const { base, newest } = withNewestLeases(memory);
  return { ...base, unreserve: (leases) => memory.unreserve(leases.map((lease) => newest.of(lease))) };
}

/** The `ZADD delayed` that runs whatever the `ZREM reserved` before it answered. */
export function releaseThatInserts(memory: MemoryConnector): Connector {
  const { base, newest } = withNewestLeases(memory);
  let copies = 0;
  return {
    ...base,
    async release(releases) {
      const answers = await memory.release(releases);
      for (const [index, { lease, delayMs }] of releases.entries()) {
        const delivery = newest.deliveryOf(lease);
        if (answers[index] || delivery === undefined) continue;
        copies += 1;
        await memory.push(lease.queue, [
          { id: `${delivery.id} copy ${copies}`, body: delivery.body, delayMs },
        ]);
      }
      return answers;
    },
  };
}

/** `ZADD reserved` without XX: whoever asks has the job, also a holder of long ago. */
export function extendThatRevives(memory: MemoryConnector): Connector {
  const { base, newest } = withNewestLeases(memory);
  return {
    ...base,
    async extend(leases, leaseMs) {
      await memory.extend(
        leases.map((lease) => newest.of(lease)),
        leaseMs,
      );
      return leases.map(() => true);
    },
  };
}

/** A token that is no more than the job's id and its attempts, as give-back and retry repeat them. */
export function tokenOfIdAndAttempts(memory: MemoryConnector): Connector {
  const { base, newest } = withNewestLeases(memory);
  const tokenOf = ({ id, attempts }: ReservedJob): string => `${id}:${attempts}`;
  const current = (lease: Lease): Lease => {
    const delivery = newest.deliveryOf(lease);
    return delivery !== undefined && tokenOf(delivery) === lease.token ? delivery.lease : lease;
  };
  return {
    ...base,
    async reserve(queues, limit, leaseMs) {
      const reserved = await base.reserve(queues, limit, leaseMs);
      return reserved.map((job) => ({ ...job, lease: { ...job.lease, token: tokenOf(job) } }));
    },
    extend: (leases, leaseMs) => memory.extend(leases.map(current), leaseMs),
    delete: (leases) => memory.delete(leases.map(current)),
    unreserve: (leases) => memory.unreserve(leases.map(current)),
    release: (releases) =>
      memory.release(releases.map(({ lease, delayMs }) => ({ lease: current(lease), delayMs }))),
    fail: (failures) => memory.fail(failures.map(({ lease, record }) => ({ lease: current(lease), record }))),
  };
}
