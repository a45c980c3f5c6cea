import type { MemoryConnector } from '../../drivers/memory/connector.js';
import type { Connector } from '../../src/index.js';
import { broken } from './broken-verbs.js';
import { type Delegate, delegateTo, NewestLeases } from './delegate.js';
import type { Mutant } from './mutants.js';

type DeleteAndReserve = Required<Connector>['deleteAndReserve'];

/** One after the other, which is what it promises. */
function composed(base: Delegate): DeleteAndReserve {
  return async (leases, queues, limit, leaseMs) => {
    const held = await base.delete(leases);
    return { held, jobs: await base.reserve(queues, limit, leaseMs) };
  };
}

/** A memory connector that offers `deleteAndReserve`, which its own does not need. */
export function withDeleteAndReserve(memory: MemoryConnector): Connector {
  const base = delegateTo(memory);
  return { ...base, deleteAndReserve: composed(base) };
}

/** Deletes whatever has the job's id, whoever holds it. */
function withoutToken(base: Delegate): Delegate {
  const newest = new NewestLeases();
  return {
    ...base,
    async reserve(queues, limit, leaseMs) {
      const reserved = await base.reserve(queues, limit, leaseMs);
      newest.remember(reserved);
      return reserved;
    },
    delete: (leases) => base.delete(leases.map((lease) => newest.of(lease))),
  };
}

function brokenTrip(
  name: string,
  caughtBy: readonly string[],
  breakTrip: (rightly: DeleteAndReserve, base: Delegate) => DeleteAndReserve,
): Mutant {
  return broken(`deleteAndReserve ${name}`, caughtBy, (base) => ({
    deleteAndReserve: breakTrip(composed(base), base),
  }));
}

const goAndCome = 'deleteAndReserve: done jobs go, the next come under leases of their own';
const othersCount = 'deleteAndReserve: where one lease is lost the others count, and the next jobs come';
const oneSided = 'deleteAndReserve: without leases it reserves, without jobs it deletes';
const notBoth = 'deleteAndReserve: a job is not handed out by the call that deletes it, and its id is free';
const late =
  'fencing: after the job lapsed and was taken by another worker, a late deleteAndReserve changes nothing';

/** Faults of being done and wanting more in one trip. */
export const brokenTrips: readonly Mutant[] = [
  brokenTrip(
    'deletes nothing',
    [goAndCome, oneSided, 'fencing: what deleteAndReserve answers for a lapsed lease is what happened'],
    (_, base) => async (leases, queues, limit, leaseMs) => ({
      held: leases.map(() => true),
      jobs: await base.reserve(queues, limit, leaseMs),
    }),
  ),
  broken('deleteAndReserve deletes without the token', [late], (base) => {
    const byId = withoutToken(base);
    return { reserve: byId.reserve, deleteAndReserve: composed(byId) };
  }),
  broken('deleteAndReserve reserves, then deletes without the token', [notBoth, late], (base) => {
    const byId = withoutToken(base);
    return {
      reserve: byId.reserve,
      async deleteAndReserve(leases, queues, limit, leaseMs) {
        const jobs = await byId.reserve(queues, limit, leaseMs);
        return { held: await byId.delete(leases), jobs };
      },
    };
  }),
  brokenTrip(
    'deletes in the queues that it reserves from only',
    ['fencing: after the job was settled by deleteAndReserve, delete changes nothing'],
    (_, base) => async (leases, queues, limit, leaseMs) => {
      await base.delete(leases.filter(({ queue }) => queues.includes(queue)));
      return { held: leases.map(() => true), jobs: await base.reserve(queues, limit, leaseMs) };
    },
  ),
  brokenTrip('reserves nothing', [goAndCome, othersCount, oneSided], (_, base) => async (leases) => ({
    held: await base.delete(leases),
    jobs: [],
  })),
  brokenTrip('reserves nothing where a lease was lost', [othersCount], (rightly) => async (...args) => {
    const { held, jobs } = await rightly(...args);
    return { held, jobs: held.includes(false) ? [] : jobs };
  }),
  brokenTrip('answers in another order', [othersCount], (rightly) => async (...args) => {
    const { held, jobs } = await rightly(...args);
    return { held: held.reverse(), jobs };
  }),
  brokenTrip('answers true for a lost lease', [othersCount, late], (rightly) => async (...args) => {
    const { held, jobs } = await rightly(...args);
    return { held: held.map(() => true), jobs };
  }),
  brokenTrip('deletes the first job only', [goAndCome], (_, base) => async (leases, ...rest) => {
    await base.delete(leases.slice(0, 1));
    return { held: leases.map(() => true), jobs: await base.reserve(...rest) };
  }),
  brokenTrip(
    'reserves from the first queue only',
    [othersCount],
    (rightly) =>
      (leases, queues, ...rest) =>
        rightly(leases, queues.slice(0, 1), ...rest),
  ),
  brokenTrip(
    'goes beyond its limit',
    [goAndCome],
    (rightly) => (leases, queues, _, leaseMs) => rightly(leases, queues, 1000, leaseMs),
  ),
  brokenTrip(
    'reserves for ever',
    [goAndCome],
    (rightly) => (leases, queues, limit) => rightly(leases, queues, limit, 1e9),
  ),
];
