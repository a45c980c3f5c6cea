import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/support/summary-reporter.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    provide: { tier: 'normal' },
    globalSetup: fileURLToPath(new URL('test/support/global-setup.ts', import.meta.url)),
    // Real processes and files on small machines: a bound for what hangs, not a measure of speed.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // What a poll waits for has no time of its own: somewhat less than the test, so that what was there last is told.
    expect: { poll: { timeout: 25_000 } },
    pool: 'forks',
    // Much of the time is waiting for processes and servers: three files at a time also on the two cores of a small
    // machine, where vitest would take one.
    maxWorkers: 3,
    // Tests beside each other in one file mostly wait, too: none should wait for another's end.
    maxConcurrency: 12,
    reporters: ['default', new SummaryReporter()],
  },
});
