import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Lease, ReservedJob } from '../../src/index.js';
import type { ConformanceHarness } from '../conformance/index.js';
import { type FullConnector, failedRecord, job, offered } from '../conformance/steps.js';
import type { ModelJob, ModelStore } from './model.js';

/** The store under test, and what was handed out so far, settled or not. */
export interface Real {
  readonly harness: ConformanceHarness;
  readonly held: ReservedJob[];
  /** True where jobs of one queue come strictly by the time for which they have been due. */
  readonly isOrdered: boolean;
}

type Step = (model: ModelStore, connector: FullConnector, real: Real) => Promise<void>;

/** A command that may always come; `text` tells it in a counterexample. */
class Command implements fc.AsyncCommand<ModelStore, Real> {
  readonly #text: string;
  readonly #step: Step;

  constructor(text: string, step: Step) {
    this.#text = text;
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  async run(model: ModelStore, real: Real): Promise<void> {
    await this.#step(model, offered(real.harness.connector), real);
    for (const queue of queues) {
      const size = await real.harness.connector.size(queue);
      assert.deepEqual(size, model.size(queue), `size of ${queue} after ${this.#text}`);
    }
  }

  toString(): string {
    return this.#text;
  }
}

const queues = ['high', 'low'];
const queue = fc.constantFrom(...queues);
const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
// Time passes in steps of 10 s, and all that is due is due between two steps: how long a call takes makes no difference.
const delayMs = fc.constantFrom(0, 0, 5_000, 15_000);
const leaseMs = fc.constantFrom(5_000, 25_000, 45_000);

const push = fc.tuple(queue, fc.uniqueArray(id, { minLength: 1, maxLength: 4 }), delayMs).map(
  ([name, ids, delay]) =>
    new Command(`push(${name}, ${ids}, ${delay} ms)`, async (model, connector) => {
      const outcomes = await connector.push(
        name,
        ids.map((one) => job(one, { delayMs: delay })),
      );
      assert.deepEqual(
        outcomes,
        ids.map((one) => model.push(name, one, delay)),
      );
    }),
);

/** Whether one may come before the other: both have been due for as long, or it for longer. */
function comesFirst(one: ModelJob, other: ModelJob): boolean {
  return one.dueAtMs <= other.dueAtMs;
}

/** Takes over what was handed out, and holds it to what may be handed out. */
function handOut(
  model: ModelStore,
  { held, isOrdered }: Real,
  names: readonly string[],
  limit: number,
  lease: number,
) {
  return (taken: readonly ReservedJob[]): void => {
    const due = new Map(names.map((name) => [name, model.due(name)]));
    const counts = names.map((name) => taken.filter((one) => one.queue === name).length);
    let room = limit;
    for (const [index, name] of names.entries()) {
      const expected = Math.min(room, due.get(name)?.length ?? 0);
      assert.equal(counts[index], expected, `${name}: as many as are due, and earlier queues first`);
      room -= expected;
    }
    const places = taken.map((one) => names.indexOf(one.queue));
    assert.deepEqual(places, [...places].sort(), 'jobs of earlier queues come first');
    const jobs = taken.map((one) => {
      const found = model.at(one.queue, one.id);
      assert.ok(found && model.isDue(found), `${one.id} of ${one.queue} is due`);
      return found;
    });
    if (isOrdered) {
      for (const name of names) {
        const mine = jobs.filter((one) => one.queue === name);
        const left = due.get(name)?.filter((one) => !mine.includes(one)) ?? [];
        for (const [index, one] of mine.entries()) {
          for (const later of [...mine.slice(index + 1), ...left])
            assert.ok(
              comesFirst(one, later),
              `${one.id} comes before ${later.id}, which has been due longer`,
            );
        }
      }
    }
    for (const [index, one] of taken.entries()) {
      const found = jobs[index] as ModelJob;
      found.attempts += 1;
      assert.equal(one.attempts, found.attempts, `attempts of ${one.id}`);
      assert.equal(one.exceptions ?? 0, found.exceptions, `exceptions of ${one.id}`);
      assert.equal(one.body, job(one.id).body, 'the body is what was pushed');
      assert.ok(!held.some(({ lease: { token } }) => token === one.lease.token), 'a token is new');
      found.token = one.lease.token;
      found.wasDueAtMs = found.dueAtMs;
      found.dueAtMs = model.nowMs + lease;
      held.push(one);
    }
  };
}

const order = fc.constantFrom(['high', 'low'], ['low', 'high'], ['high'], ['low']);
const limit = fc.integer({ min: 1, max: 6 });

const reserve = fc.tuple(order, limit, leaseMs).map(
  ([names, most, lease]) =>
    new Command(`reserve(${names}, ${most}, ${lease} ms)`, async (model, connector, real) => {
      handOut(model, real, names, most, lease)(await connector.reserve(names, most, lease));
    }),
);

/** One or more of the leases that were handed out, settled ones among them, by numbers drawn beforehand. */
const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 4 });

function picked({ held }: Real, numbers: readonly number[]): ReservedJob[] {
  return held.length === 0
    ? []
    : [...new Set(numbers.map((number) => held[number % held.length] as ReservedJob))];
}

/** A settling verb: what it answers, and what becomes of a job that was held. */
function settling(
  name: string,
  call: (connector: FullConnector, jobs: readonly ReservedJob[], spanMs: number) => Promise<boolean[]>,
  become: (model: ModelStore, job: ModelJob, spanMs: number, lease: Lease) => void,
  spans: fc.Arbitrary<number> = delayMs,
): fc.Arbitrary<Command> {
  return fc.tuple(picks, spans).map(
    ([numbers, spanMs]) =>
      new Command(`${name}(${numbers}, ${spanMs} ms)`, async (model, connector, real) => {
        const jobs = picked(real, numbers);
        const answers = await call(connector, jobs, spanMs);
        for (const [index, { id: which, queue: name, lease }] of jobs.entries()) {
          const found = model.at(name, which);
          const isItsOwn = found?.token === lease.token;
          const answer = answers[index];
          if (!isItsOwn)
            assert.equal(answer, false, `${which}: a lease that was settled or taken over is lost`);
          else if (model.isHeld(found)) assert.equal(answer, true, `${which}: it was held`);
          // Lapsed: the contract leaves the answer open, and what was answered is what happened.
          if (isItsOwn && answer) become(model, found, spanMs, lease);
        }
      }),
  );
}

function giveBack(model: ModelStore, one: ModelJob, spanMs: number): void {
  one.token = undefined;
  one.dueAtMs = model.nowMs + spanMs;
}

const leases = (jobs: readonly ReservedJob[]): Lease[] => jobs.map(({ lease }) => lease);
const releases = (jobs: readonly ReservedJob[], spanMs: number) =>
  jobs.map(({ lease }) => ({ lease, delayMs: spanMs }));

const settles = [
  settling(
    'extend',
    (connector, jobs, spanMs) => connector.extend(leases(jobs), spanMs),
    (model, one, spanMs) => {
      one.dueAtMs = model.nowMs + spanMs;
    },
    leaseMs,
  ),
  settling(
    'delete',
    (connector, jobs) => connector.delete(leases(jobs)),
    (model, one) => model.remove(one),
  ),
  settling('release', (connector, jobs, spanMs) => connector.release(releases(jobs, spanMs)), giveBack),
  settling(
    'releaseThrown',
    (connector, jobs, spanMs) => connector.releaseThrown(releases(jobs, spanMs)),
    (model, one, spanMs) => {
      one.exceptions += 1;
      giveBack(model, one, spanMs);
    },
  ),
  settling(
    'postpone',
    (connector, jobs, spanMs) => connector.postpone(releases(jobs, spanMs)),
    (model, one, spanMs) => {
      one.attempts -= 1;
      giveBack(model, one, spanMs);
    },
  ),
  settling(
    'unreserve',
    (connector, jobs) => connector.unreserve(leases(jobs)),
    (_model, one) => {
      one.attempts -= 1;
      one.token = undefined;
      one.dueAtMs = one.wasDueAtMs;
    },
  ),
  settling(
    'fail',
    (connector, jobs) =>
      connector.fail(
        jobs.map((one) => ({ lease: one.lease, record: failedRecord(one, { uuid: one.lease.token }) })),
      ),
    (model, one, _spanMs, { token }) => model.fail(one, token),
  ),
];

const retry = fc.constant(
  new Command('retry all', async (model, connector) => {
    const records = model.failed.splice(0);
    const outcomes = await connector.failedJobs.retry(records.map(({ uuid }) => uuid));
    for (const [index, record] of records.entries()) {
      const isThere = model.at(record.queue, record.id) !== undefined;
      assert.equal(outcomes[index], isThere ? 'already-there' : 'retried');
      if (isThere) model.failed.push(record);
      else model.push(record.queue, record.id, 0);
    }
    const kept = (await connector.failedJobs.list()).map(({ uuid }) => uuid);
    const expected = model.failed.map(({ uuid }) => uuid);
    assert.ok(isDeepStrictEqual(kept.sort(), expected.sort()), 'records are kept until they are retried');
  }),
);

const clear = fc.tuple(queue, fc.boolean()).map(
  ([name, reserved]) =>
    new Command(`clear(${name}, reserved: ${reserved})`, async (model, connector) => {
      const gone = model.jobs.filter((one) => one.queue === name && (reserved || !model.isHeld(one)));
      const { ready, delayed, ...size } = model.size(name);
      const expected = { ready, delayed, reserved: reserved ? size.reserved : 0 };
      assert.deepEqual(await connector.clear(name, { reserved }), expected);
      for (const one of gone) model.remove(one);
    }),
);

const pass = fc.constantFrom(10_000, 20_000, 60_000).map(
  (ms) =>
    new Command(`${ms} ms pass`, async (model, _connector, { harness }) => {
      await harness.advance(ms);
      model.nowMs += ms;
    }),
);

/** Any row of calls of the verbs, with time passing in between. */
export function commands(maxCommands: number): fc.Arbitrary<Iterable<fc.AsyncCommand<ModelStore, Real>>> {
  return fc.commands([push, push, reserve, reserve, ...settles, retry, clear, pass], {
    maxCommands,
    size: 'max',
  });
}
