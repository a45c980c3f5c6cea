import type { LiveJob, LiveState } from '../../../src/index.js';
import type { Capability, ConformanceCase, ConformanceHarness } from '../harness.js';
import { holds, holdsSize, idsOf, job, jobs, leaseMs, offered, pastLeaseMs, reserveOne } from '../steps.js';

const needs: readonly Capability[] = ['peek'];
const dayMs = 24 * 3_600_000;

async function idsIn(state: LiveState, { other }: ConformanceHarness, queue = 'q'): Promise<unknown[]> {
  return (await offered(other).peek(queue, { state, limit: 100 })).map(({ id }) => id);
}

/** True for a time that is near another, whoever's clock told it. */
function isNear(ms: number | null, expectedMs: number): boolean {
  return ms !== null && Math.abs(ms - expectedMs) < 60_000;
}

/** Looks at live jobs that take nothing. */
export const peekCases: readonly ConformanceCase[] = [
  {
    name: 'peek: shows each job in its one state, in the order of its turn, and takes none',
    needs,
    async run(harness) {
      const { connector } = harness;
      await connector.push('q', jobs(3, 'held-'));
      await connector.reserve(['q'], 3, leaseMs);
      await connector.push('q', [
        ...jobs(3),
        job('late', { delayMs: dayMs }),
        job('soon', { delayMs: leaseMs }),
      ]);
      await connector.push('other', [job('job-0')]);
      for (let look = 0; look < 2; look++) {
        holds('ready', await idsIn('ready', harness), ['job-0', 'job-1', 'job-2']);
        holds('delayed', await idsIn('delayed', harness), ['soon', 'late']);
        holds('reserved', (await idsIn('reserved', harness)).sort(), ['held-0', 'held-1', 'held-2']);
      }
      holds('a queue without jobs', await idsIn('ready', harness, 'nobody'), []);
      await holdsSize('nothing was taken', connector, { ready: 3, delayed: 2, reserved: 3 });
      holds('and the order is as it was', idsOf(await connector.reserve(['q'], 9, leaseMs)), [
        'job-0',
        'job-1',
        'job-2',
      ]);
    },
  },
  {
    name: 'peek: tells the body, the attempts and the times of a job in every state',
    needs,
    async run({ connector, other, now }) {
      const body = JSON.stringify({ job: 'mail', data: 'ü😀\u0001', id: 'a', attempts: 0 });
      const find = () => offered(other).find('q', 'a');
      await connector.push('q', [{ id: 'a', body, unique: true, delayMs: 300_000 }]);
      const nowMs = await now();
      const delayed = await find();
      holds('delayed', shape(delayed), ['a', 'q', 'delayed', body, 0]);
      holds('a delayed job is due after its delay', isNear(delayed?.dueAtMs ?? null, nowMs + 300_000), true);
      holds('nobody holds it', [delayed?.reservedAtMs, delayed?.leaseEndsAtMs], [null, null]);
    },
  },
  {
    name: 'peek: a job that is held says so, and keeps its attempts when it comes back',
    needs,
    async run({ connector, other, now }) {
      const body = JSON.stringify({ job: 'mail', data: null, id: 'a', attempts: 0 });
      const find = () => offered(other).find('q', 'a');
      await connector.push('q', [{ id: 'a', body, unique: true }]);
      holds('ready', shape(await find()), ['a', 'q', 'ready', body, 0]);
      const held = await reserveOne(connector);
      const nowMs = await now();
      const reserved = await find();
      holds('reserved', shape(reserved), ['a', 'q', 'reserved', body, 1]);
      holds('its lease has an end', isNear(reserved?.leaseEndsAtMs ?? null, nowMs + leaseMs), true);
      const { reservedAtMs = null } = reserved ?? {};
      holds(
        'where it is told when it was taken, it was now',
        reservedAtMs === null || isNear(reservedAtMs, nowMs),
        true,
      );
      await connector.release([{ lease: held.lease, delayMs: 0 }]);
      holds('released', shape(await find()), ['a', 'q', 'ready', body, 1]);
      await connector.delete([(await reserveOne(connector)).lease]);
      holds('gone', await find(), null);
    },
  },
  {
    name: 'peek: a job whose delay is over or whose lease has lapsed is ready',
    needs,
    async run(harness) {
      const { connector, other, advance } = harness;
      await connector.push('q', [job('held')]);
      await connector.reserve(['q'], 1, leaseMs);
      await connector.push('q', [job('later', { delayMs: leaseMs }), job('waits')]);
      await advance(pastLeaseMs);
      holds('all are ready', (await idsIn('ready', harness)).sort(), ['held', 'later', 'waits']);
      holds('none is delayed', await idsIn('delayed', harness), []);
      holds('none is reserved', await idsIn('reserved', harness), []);
      const lapsed = await offered(other).find('q', 'held');
      holds('the attempt of the one that lapsed counts', [lapsed?.state, lapsed?.attempts], ['ready', 1]);
      holds('nobody holds it', [lapsed?.reservedAtMs, lapsed?.leaseEndsAtMs], [null, null]);
    },
  },
  {
    name: 'peek: goes through a queue in pages, and finds a job wherever it stands',
    needs,
    async run({ connector, other, advance }) {
      await connector.push('q', jobs(80, 'due-', { delayMs: 1000 }));
      await connector.push('q', jobs(60, 'held-'));
      await connector.reserve(['q'], 60, leaseMs);
      await connector.push('q', jobs(110, 'ready-'));
      await advance(pastLeaseMs);
      const { peek, find } = bound(other);
      const seen: unknown[] = [];
      for (let offset = 0; ; offset += 70) {
        const page = await peek('q', { state: 'ready', limit: 70, offset });
        seen.push(...idsOf(page as { id: string }[]));
        if (page.length < 70) break;
      }
      holds('every job is on one page', [seen.length, new Set(seen).size], [250, 250]);
      holds('no page is longer than asked', (await peek('q', { state: 'ready', limit: 3 })).length, 3);
      holds('nor shorter than it could be', (await peek('q', { state: 'ready', limit: 1000 })).length, 250);
      for (const id of ['due-79', 'held-59', 'ready-109']) {
        holds(`${id} is found`, (await find('q', id))?.id, id);
      }
      holds('one of another queue is not', await find('p', 'ready-1'), null);
      holds('an id that is no job is not', await find('q', 'ready-'), null);
    },
  },
];

function shape(found: LiveJob | null): unknown[] {
  return found ? [found.id, found.queue, found.state, found.body, found.attempts] : [];
}

function bound(connector: ConformanceHarness['connector']) {
  const full = offered(connector);
  return { peek: full.peek.bind(full), find: full.find.bind(full) };
}
