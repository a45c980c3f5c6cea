import type { SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';
import type { Reporter } from 'vitest/reporters';

/** Names, with commas between, of what may be skipped: each is part of a file's path or of a test's name. */
const variable = 'DROVER_SKIP';

/**
 * Ends a run with the line `N passed, N failed` (and `, N skipped`), and fails a run in which a test was
 * skipped that {@link variable} does not name: a test that nobody runs proves nothing.
 */
export class SummaryReporter implements Reporter {
  #selectedByName = false;
  #tier: string | undefined;

  onInit(vitest: Vitest): void {
    this.#tier = vitest.config.provide.tier;
    this.#selectedByName = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const withState = (state: string) => tests.filter((test) => test.result().state === state);
    const failed =
      withState('failed').length + modules.filter(brokeOutsideTests).length + unhandledErrors.length;
    const skipped = withState('skipped');

    const unasked = this.#selectedByName ? [] : skipped.filter((test) => !isSkipAsked(test));
    for (const test of unasked)
      process.stderr.write(`Skipped, and not named in ${variable}: ${nameOf(test)}\n`);
    if (unasked.length > 0) process.exitCode = 1;

    const counts = [`${withState('passed').length} passed`, `${failed} failed`];
    if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
    if (this.#tier === 'normal') process.stdout.write('\nThe normal tier: npm run test:full has the rest.\n');
    process.stdout.write(`\n${counts.join(', ')}\n`);
  }
}

/** True for a file that could not be loaded, or whose hooks failed: its tests say nothing of that. */
function brokeOutsideTests(module: TestModule): boolean {
  return (
    module.errors().length > 0 || [...module.children.allSuites()].some((suite) => suite.errors().length > 0)
  );
}

function isSkipAsked(test: TestCase): boolean {
  const asked = (process.env[variable] ?? '').split(',').map((name) => name.trim());
  return asked.some((name) => name !== '' && nameOf(test).includes(name));
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}
