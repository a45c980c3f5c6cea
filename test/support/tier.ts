import { inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Which of the tiers of docs/testing.md this is; told by the config of the run. */
    tier: 'normal' | 'full';
  }
}

/**
 * What a `describe.each` or `test.each` goes through: in the normal tier one store or case of each kind, in the full tier
 * the others too. For products of faults and stores; a whole file that is long is called `.full.ts` instead.
 *
 * @param full only for `npm run test:full`.
 */
export function inTier<T>(always: readonly T[], full: readonly T[]): readonly T[] {
  return inject('tier') === 'full' ? [...always, ...full] : always;
}
