import { test } from 'vitest';
import { conformanceCases, type HarnessFactory, runCase } from '../conformance/index.js';

/** Registers the whole suite as tests of the current file; what the driver does not offer shows as skipped. */
export function runConformance(factory: HarnessFactory): void {
  for (const one of conformanceCases) {
    test(one.name, async ({ skip }) => {
      if ((await runCase(one, factory)) === 'not-offered') skip(`not offered: ${one.needs?.join(', ')}`);
    });
  }
}
