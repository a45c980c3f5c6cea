import { afterAll, describe, expect, test } from 'vitest';
import { type ConformanceCase, conformanceCases, offeredCapabilities, runCase } from './conformance/index.js';
import { brokenVerbs } from './support/broken-verbs.js';
import { delegateTo } from './support/delegate.js';
import { type MemoryHarnessOptions, memoryHarness } from './support/memory-harness.js';
import { type Mutant, mutants } from './support/mutants.js';
import { brokenDiagnoses, withDiagnose } from './support/mutants-diagnose.js';
import { brokenTrips, withDeleteAndReserve } from './support/mutants-trips.js';

/** Cases without real time: what a mutant does wrong shows there, and each run takes well under a second. */
const instantCases = conformanceCases.filter(({ realTime }) => !realTime);

/** Short, as some mutants make a case wait in vain. */
const patienceMs = 200;

async function passes(one: ConformanceCase, options: MemoryHarnessOptions = {}): Promise<boolean> {
  try {
    await runCase(one, memoryHarness({ ...options, patienceMs }));
    return true;
  } catch {
    return false;
  }
}

async function casesThatCatch({ wrap }: Mutant): Promise<string[]> {
  const caught: string[] = [];
  for (const one of instantCases) if (!(await passes(one, { wrap }))) caught.push(one.name);
  return caught;
}

function caseNamed(name: string): ConformanceCase {
  const found = conformanceCases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no case ${name}`);
  return found;
}

describe('the suite', () => {
  test('names every case differently', () => {
    const names = conformanceCases.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('says which cases a connector does not offer, and holds it to the rest', async () => {
    const wrap: MemoryHarnessOptions['wrap'] = (memory) => {
      const {
        unreserve,
        postpone,
        releaseThrown,
        fail,
        waitForJob,
        failedJobs,
        signals,
        workers,
        statistics,
        history,
        peek,
        find,
        longestWaitMs,
        ...verbs
      } = delegateTo(memory);
      return verbs;
    };
    const factory = memoryHarness({ wrap });
    expect(await offeredCapabilities(factory)).toEqual([]);
    for (const one of instantCases) {
      const expected = one.needs?.length ? 'not-offered' : 'passed';
      expect(await runCase(one, factory), one.name).toBe(expected);
    }
  });

  test('refuses a connector whose push runs the jobs', async () => {
    const factory = memoryHarness({ wrap: (memory) => ({ ...delegateTo(memory), inline: true }) });
    await expect(runCase(caseNamed('delete: removes the job'), factory)).rejects.toThrow(/inline/);
  });

  test('names the broken rule, and closes the store all the same', async () => {
    let closed = 0;
    const { open } = memoryHarness();
    const one: ConformanceCase = {
      name: 'always broken',
      run: () => Promise.reject(new Error('it is')),
    };
    const counting = async (options: { readonly realTime: boolean }) => {
      const harness = await open(options);
      const close = async (): Promise<void> => {
        closed += 1;
        await harness.close();
        throw new Error('this store does not close');
      };
      return { ...harness, close };
    };
    await expect(runCase(one, { open: counting })).rejects.toThrow('always broken: it is');
    expect(closed).toBe(1);
  });
});

describe('a broken connector is caught', () => {
  const table: Record<string, string[]> = {};

  test.each([...mutants])('$name', async (mutant) => {
    const caught = await casesThatCatch(mutant);
    table[mutant.name] = caught;
    expect(caught).toEqual(expect.arrayContaining([...mutant.caughtBy]));
    // A mutant that fails everywhere is not one fault, and would show nothing about these cases.
    expect(caught.length).toBeLessThan(instantCases.length / 5);
  });

  test.each([...brokenVerbs, ...brokenTrips, ...brokenDiagnoses])('$name', async ({ wrap, caughtBy }) => {
    for (const name of caughtBy) expect(await passes(caseNamed(name), { wrap }), name).toBe(false);
  });

  test('the memory connector passes the cases that are written for them', async () => {
    for (const name of new Set([...mutants, ...brokenVerbs].flatMap(({ caughtBy }) => caughtBy))) {
      expect(await passes(caseNamed(name)), name).toBe(true);
    }
  });

  test('one that diagnoses passes the cases that are written for its faults', async () => {
    const factory = memoryHarness(withDiagnose);
    for (const name of new Set(brokenDiagnoses.flatMap(({ caughtBy }) => caughtBy)))
      expect(await runCase(caseNamed(name), factory), name).toBe('passed');
  });

  test('one that composes deleteAndReserve passes the cases that are written for its faults', async () => {
    const factory = memoryHarness({ wrap: withDeleteAndReserve });
    for (const name of new Set(brokenTrips.flatMap(({ caughtBy }) => caughtBy)))
      expect(await runCase(caseNamed(name), factory), name).toBe('passed');
  });

  afterAll(() => {
    const rows = Object.entries(table).map(([name, caught]) =>
      [`${name}: caught by ${caught.length} of ${instantCases.length}`, ...caught].join('\n    '),
    );
    console.log(rows.join('\n'));
  });
});
