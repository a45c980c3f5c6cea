import type { Connector, Finding } from '../../src/index.js';
import { broken } from './broken-verbs.js';
import type { Delegate } from './delegate.js';
import type { Mutant } from './mutants.js';

const whole =
  'diagnose: each finding names its check and says what was found, and what to change where it is not ok';
const changesNothing = 'diagnose: changes nothing, and can be repeated';

const good: Finding = { check: 'store', status: 'ok', message: 'it answers' };

/** A memory connector that offers `diagnose`. */
export const withDiagnose: Mutant = broken('diagnoses', [], () => ({ diagnose: async () => [good] }));

function brokenDiagnosis(
  name: string,
  caughtBy: string,
  diagnose: (base: Delegate) => NonNullable<Connector['diagnose']>,
): Mutant {
  return broken(`diagnose that ${name}`, [caughtBy], (base) => ({ diagnose: diagnose(base) }));
}

/** Connectors whose diagnosis is not what the contract says. */
export const brokenDiagnoses: readonly Mutant[] = [
  brokenDiagnosis('finds nothing where all is well', whole, () => async () => []),
  brokenDiagnosis('says no remedy', whole, () => async () => [{ ...good, status: 'error' }]),
  brokenDiagnosis('has lines', whole, () => async () => [{ ...good, message: 'a\nb' }]),
  brokenDiagnosis('takes a job', changesNothing, (base) => async () => {
    await base.reserve(['q'], 1, 60_000);
    return [good];
  }),
  brokenDiagnosis('clears', changesNothing, (base) => async () => {
    await base.clear('q', { reserved: true });
    return [good];
  }),
];
