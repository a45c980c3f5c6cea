import fc from 'fast-check';
import type { HarnessFactory } from '../conformance/index.js';
import { commands } from './commands.js';
import { ModelStore } from './model.js';

/**
 * Holds a store to the model with so many random rows of calls. A failure prints the seed, the path and the shortest
 * row of calls that still fails: give the first two to `fc.assert` to see it again.
 */
export async function holdToModel(
  factory: HarnessFactory,
  options: { readonly runs: number; readonly isOrdered: boolean; readonly calls?: number },
): Promise<void> {
  const { runs, isOrdered, calls = 60 } = options;
  await fc.assert(
    fc.asyncProperty(commands(calls), async (row) => {
      const harness = await factory.open({ realTime: false });
      try {
        await fc.asyncModelRun(
          () => ({ model: new ModelStore(), real: { harness, held: [], isOrdered } }),
          row,
        );
      } finally {
        await harness.close();
      }
    }),
    { numRuns: runs, interruptAfterTimeLimit: undefined },
  );
}
