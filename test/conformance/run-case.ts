import assert from 'node:assert/strict';
import type { Capability, ConformanceCase, ConformanceHarness, HarnessFactory } from './harness.js';

/** How a case ended; `not-offered` where the connector lacks a capability that the case is about. */
export type CaseResult = 'passed' | 'not-offered';

/**
 * Runs one case on a fresh store. Rejects when the connector breaks the rule; `not-offered` is for the
 * caller to show as skipped, never as passed.
 */
export async function runCase(test: ConformanceCase, factory: HarnessFactory): Promise<CaseResult> {
  const harness = await factory.open({ realTime: test.realTime ?? false });
  let result: CaseResult;
  try {
    result = await runOn(harness, test);
  } catch (error) {
    // The rule that was broken matters more than a store that would not close after it.
    await harness.close().catch(() => undefined);
    throw withRule(test, error);
  }
  await harness.close();
  return result;
}

/** The capabilities that a driver's connector has. */
export async function offeredCapabilities(factory: HarnessFactory): Promise<Capability[]> {
  const harness = await factory.open({ realTime: false });
  const offered = offeredBy(harness);
  await harness.close();
  return offered;
}

async function runOn(harness: ConformanceHarness, test: ConformanceCase): Promise<CaseResult> {
  assert.ok(
    harness.connector.inline !== true,
    'the connector is inline: its push runs the jobs, so it has nothing to hold to these cases',
  );
  const offered = offeredBy(harness);
  if (!(test.needs ?? []).every((capability) => offered.includes(capability))) return 'not-offered';
  // Cases take the harness apart; a harness may be an instance whose methods need their `this`.
  await test.run(withBoundMethods(harness));
  return 'passed';
}

/** A failed check names the rule already; whatever else a connector throws needs the case's name. */
function withRule({ name }: ConformanceCase, error: unknown): unknown {
  if (error instanceof assert.AssertionError) return error;
  return new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

function withBoundMethods(harness: ConformanceHarness): ConformanceHarness {
  const { connector, other, patienceMs } = harness;
  return {
    connector,
    other,
    ...(patienceMs === undefined ? {} : { patienceMs }),
    now: () => harness.now(),
    advance: (ms) => harness.advance(ms),
    close: () => harness.close(),
  };
}

function offeredBy({ connector, other }: ConformanceHarness): Capability[] {
  const isOffered: Readonly<Record<Capability, boolean>> = {
    deleteAndReserve: connector.deleteAndReserve !== undefined,
    unreserve: connector.unreserve !== undefined,
    postpone: connector.postpone !== undefined,
    releaseThrown: connector.releaseThrown !== undefined,
    fail: connector.fail !== undefined,
    waitForJob: connector.waitForJob !== undefined,
    failedJobs: connector.failedJobs !== undefined,
    'failedJobs.retry': connector.failedJobs?.retry !== undefined,
    signals: connector.signals !== undefined,
    'signals.swap': connector.signals?.swap !== undefined,
    workers: connector.workers !== undefined,
    statistics: connector.statistics !== undefined,
    history: connector.history !== undefined,
    peek: connector.peek !== undefined && connector.find !== undefined,
    longestWaitMs: connector.longestWaitMs !== undefined,
    migrate: connector.migrate !== undefined,
    diagnose: connector.diagnose !== undefined,
    'second-connector': other !== connector,
  };
  return (Object.keys(isOffered) as Capability[]).filter((capability) => isOffered[capability]);
}
