import { expect, test } from 'vitest';
import {
  type Capability,
  conformanceCases,
  type HarnessFactory,
  offeredCapabilities,
  runCase,
} from '../conformance/index.js';

const allCapabilities = [...new Set(conformanceCases.flatMap((one) => one.needs ?? []))].sort();

/**
 * Registers the suite as tests of the current file.
 *
 * @param lacks capabilities that the driver is known not to offer. Their cases are left out, and a test
 * holds the list to the truth, so that no case goes missing unnoticed.
 * @param about the names of the cases to run: for a driver that differs from one that ran them all in some verbs.
 * @param exceptions cases that the driver is known to fail, with the reason: each is shown to fail indeed.
 */
export function runConformance(
  factory: HarnessFactory,
  lacks: readonly Capability[] = [],
  about = /^/,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  test(`offers everything but: ${lacks.join(', ') || 'nothing'}`, async () => {
    const offered = await offeredCapabilities(factory);
    expect(offered.sort()).toEqual(allCapabilities.filter((one) => !lacks.includes(one)));
  });
  const cases = conformanceCases.filter(({ name }) => about.test(name));
  if (cases.length === 0) throw new Error(`no case is called ${about}`);
  const unknown = Object.keys(exceptions).filter((name) => !cases.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`no case is called ${unknown.join(', ')}`);
  for (const one of cases) {
    if (one.needs?.some((capability) => lacks.includes(capability))) continue;
    const why = exceptions[one.name];
    if (why !== undefined) {
      test(`${one.name}: does not hold, as ${why}`, async () => {
        await expect(runCase(one, factory)).rejects.toThrow();
      });
      continue;
    }
    test(one.name, async () => {
      expect(await runCase(one, factory)).toBe('passed');
    });
  }
}
