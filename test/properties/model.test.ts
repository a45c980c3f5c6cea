import { expect, test } from 'vitest';
import { memoryHarness } from '../support/memory-harness.js';
import { mutants } from '../support/mutants.js';
import { holdToModel } from './model-run.js';

test('the memory connector keeps to the model of a queue, whatever is called', async () => {
  await holdToModel(memoryHarness(), { runs: 500, isOrdered: true });
});

/** Of these, one shows where two calls overlap, the other where bodies are the same: neither happens here. */
const elsewhere = ['reserve is not atomic', 'two equal bodies collapse into one job'];

test.each(mutants.filter(({ name }) => !elsewhere.includes(name)))(
  'it is seen where $name',
  async ({ wrap }) => {
    const broken = memoryHarness({ wrap });
    await expect(holdToModel(broken, { runs: 1000, isOrdered: true })).rejects.toThrow('Property failed');
  },
);
