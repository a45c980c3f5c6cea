import { expect, test } from 'vitest';
import { type Connector, type Lease, QueueError, type ReservedJob } from '../../src/index.js';
import { Trips } from '../../src/trips.js';
import { deferred } from '../support/deferred.js';

const lease = (token: string): Lease => ({ queue: 'q', token, handle: token });
const reserved = (id: string): ReservedJob => ({ id, queue: 'q', body: '', attempts: 1, lease: lease(id) });

const remove = (trips: Trips, one: Lease): Promise<boolean> =>
  new Promise((resolve, reject) => trips.take({ lease: one, deleted: resolve, notDeleted: reject }));

/** A connector whose calls are noted, and answered when the test says so. */
function setUp(withBoth = true, traits: Pick<Connector, 'isInProcess' | 'isPipelined'> = {}) {
  const calls: {
    verb: string;
    leases: number;
    answer: (value: unknown) => void;
    refuse: (error: unknown) => void;
  }[] = [];
  const note = (verb: string, leases: number): Promise<never> => {
    const { promise, resolve, reject } = deferred<unknown>();
    calls.push({ verb, leases, answer: resolve, refuse: reject });
    return promise as Promise<never>;
  };
  const connector: Partial<Connector> = {
    delete: (leases) => note('delete', leases.length),
    reserve: () => note('reserve', 0),
    ...(withBoth && { deleteAndReserve: (leases: readonly Lease[]) => note('both', leases.length) }),
    ...traits,
  };
  const again: unknown[] = [];
  const trips = new Trips(connector as Connector, async (leases, error) => {
    again.push(error);
    return leases.map(() => true);
  });
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
  return { trips, calls, again, turn };
}

test('what is done and what is wanted in one turn is one trip', async () => {
  const { trips, calls, turn } = setUp();
  const answers = [
    remove(trips, lease('a')),
    trips.reserve(['q'], 1, 1000),
    remove(trips, lease('b')),
  ] as const;
  await turn();
  expect(calls.map(({ verb, leases }) => [verb, leases])).toEqual([['both', 2]]);
  calls[0]?.answer({ held: [true, false], jobs: [reserved('c')] });
  expect(await Promise.all(answers)).toEqual([true, [reserved('c')], false]);
});

test('while a trip is under way the next gathers', async () => {
  const { trips, calls, turn } = setUp();
  const first = remove(trips, lease('a'));
  await turn();
  const later = [remove(trips, lease('b')), remove(trips, lease('c'))];
  const wanted = trips.reserve(['q'], 1, 1000);
  await turn();
  expect(calls.map(({ verb }) => verb)).toEqual(['delete']);
  calls[0]?.answer([true]);
  await first;
  await turn();
  expect(calls.map(({ verb, leases }) => [verb, leases])).toEqual([
    ['delete', 1],
    ['both', 2],
  ]);
  calls[1]?.answer({ held: [true, true], jobs: [] });
  expect(await Promise.all([...later, wanted])).toEqual([true, true, []]);
});

test('who has jobs to run meanwhile sends for more at once, with what is done until then', async () => {
  const { trips, calls, turn } = setUp();
  const done = remove(trips, lease('a'));
  const wanted = trips.reserve(['q'], 1, 1000, true);
  const later = remove(trips, lease('b'));
  expect(calls.map(({ verb, leases }) => [verb, leases])).toEqual([['both', 1]]);
  calls[0]?.answer({ held: [true], jobs: [reserved('c')] });
  expect(await wanted).toEqual([reserved('c')]);
  const next = trips.reserve(['q'], 1, 1000, true);
  expect(calls.map(({ verb, leases }) => [verb, leases])).toEqual([
    ['both', 1],
    ['both', 1],
  ]);
  calls[1]?.answer({ held: [true], jobs: [] });
  expect(await Promise.all([done, later, next])).toEqual([true, true, []]);
  await turn();
  expect(calls).toHaveLength(2);
});

test('a store without the common verb gets both at once', async () => {
  const { trips, calls, turn } = setUp(false);
  const answers = [remove(trips, lease('a')), trips.reserve(['q'], 1, 1000)] as const;
  await turn();
  expect(calls.map(({ verb }) => verb)).toEqual(['delete', 'reserve']);
  calls[0]?.answer([true]);
  calls[1]?.answer([]);
  expect(await Promise.all(answers)).toEqual([true, []]);
});

test.each(['both', 'delete'])(
  'after a trip that failed (%s) jobs are deleted again, and nobody waits',
  async (verb) => {
    const { trips, calls, again, turn } = setUp(verb === 'both');
    const error = new Error('away');
    const deleted = remove(trips, lease('a'));
    const wanted = trips.reserve(['q'], 1, 1000);
    wanted.catch(() => {});
    await turn();
    for (const call of calls) call.refuse(error);
    expect(await deleted).toBe(true);
    expect(again).toEqual([error]);
    await expect(wanted).rejects.toBe(error);
    const next = trips.reserve(['q'], 1, 1000);
    await turn();
    calls.at(-1)?.answer([]);
    expect(await next).toEqual([]);
  },
);

test.each([
  [false, [true, 'refused', false]],
  [true, [true, 'refused', true]],
])(
  'of jobs that the store refuses together each meets its own fate (ambiguous: %s)',
  async (ambiguous, expected) => {
    const refusal = new QueueError('E_STORE_SCHEMA', 'something else is there', { ambiguous });
    const answers: Record<string, boolean[] | Error> = { a: [true], b: refusal, c: [false] };
    const connector: Partial<Connector> = {
      delete: async (leases) => {
        const answer = leases.length > 1 ? refusal : answers[leases[0]?.token ?? ''];
        if (answer instanceof Error || answer === undefined) throw answer;
        return answer;
      },
    };
    const trips = new Trips(connector as Connector, (_, error) => Promise.reject(error));
    const ends = await Promise.all(
      ['a', 'b', 'c'].map((token) => remove(trips, lease(token)).catch(() => 'refused')),
    );
    expect(ends).toEqual(expected);
  },
);

test('to a store in this process goes at once what all that is ready to run leaves', async () => {
  const { trips, calls } = setUp(true, { isInProcess: true });
  const done = [remove(trips, lease('a'))];
  const wanted = trips.reserve(['q'], 1, 1000, true);
  await Promise.resolve();
  done.push(remove(trips, lease('b')));
  expect(calls).toEqual([]);
  await new Promise(process.nextTick);
  expect(calls.map(({ verb, leases }) => [verb, leases])).toEqual([['both', 2]]);
  calls[0]?.answer({ held: [true, true], jobs: [] });
  expect(await Promise.all([...done, wanted])).toEqual([true, true, []]);
});

test('a store in this process has many deletions before the turn ends, and the reserve after it', async () => {
  const { trips, calls, turn } = setUp(true, { isInProcess: true });
  const done = Array.from({ length: 40 }, (_, index) => remove(trips, lease(`${index}`)));
  const wanted = trips.reserve(['q'], 40, 1000, true);
  await new Promise(process.nextTick);
  expect(calls.map(({ verb, leases }) => [verb, leases])).toEqual([['delete', 40]]);
  calls[0]?.answer(done.map(() => true));
  await Promise.all(done);
  expect(calls).toHaveLength(1);
  await turn();
  expect(calls.map(({ verb }) => verb)).toEqual(['delete', 'reserve']);
  calls[1]?.answer([reserved('next')]);
  expect(await wanted).toEqual([reserved('next')]);
});

test.each([
  [
    true,
    32,
    [
      ['reserve', 0],
      ['delete', 33],
      ['both', 1],
    ],
  ],
  [
    true,
    30,
    [
      ['reserve', 0],
      ['both', 32],
    ],
  ],
  [
    false,
    32,
    [
      ['reserve', 0],
      ['both', 34],
    ],
  ],
] as const)(
  'where calls are carried out in their order (%s), many deletions (%i and one) do not wait for a reserve under way',
  async (isPipelined, many, expected) => {
    const { trips, calls, turn } = setUp(true, { isPipelined });
    const wanted = trips.reserve(['q'], 40, 1000, true);
    const done = Array.from({ length: many }, (_, index) => remove(trips, lease(`${index}`)));
    done.push(remove(trips, lease('of the same turn')));
    await turn();
    done.push(remove(trips, lease('of a later turn')));
    calls[0]?.answer([reserved('a')]);
    expect(await wanted).toEqual([reserved('a')]);
    const next = trips.reserve(['q'], 40, 1000);
    await turn();
    expect(calls.map(({ verb, leases }) => [verb, leases])).toEqual(expected);
    const [, ...others] = calls;
    for (const { verb, leases, answer } of others) {
      const held = Array.from({ length: leases }, () => true);
      answer(verb === 'both' ? { held, jobs: [] } : held);
    }
    expect(new Set(await Promise.all(done))).toEqual(new Set([true]));
    expect(await next).toEqual([]);
  },
);
