import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import normal from '../../vitest.config.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { expect } = normal.test ?? {};
const shared = { root, pool: 'forks', provide: { tier: 'full' }, hookTimeout: 600_000, expect } as const;

/** `npm run test:full`: all of the normal tier in its full width, what is called `.full.ts`, and then what measures, alone. */
export default defineConfig({
  test: {
    ...normal.test,
    root,
    provide: { tier: 'full' },
    projects: [
      {
        test: {
          ...shared,
          name: 'beside',
          include: ['test/**/*.{test,full}.ts'],
          exclude: ['test/full/**'],
          testTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'alone',
          include: ['test/full/**/*.full.ts'],
          testTimeout: 900_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
