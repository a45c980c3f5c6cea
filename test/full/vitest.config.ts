import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What takes minutes and is not part of `npm test`: npx vitest run --config test/full/vitest.config.ts */
export default defineConfig({
  test: {
    include: ['test/full/**/*.full.ts'],
    root: fileURLToPath(new URL('../..', import.meta.url)),
    globalSetup: fileURLToPath(new URL('../support/global-setup.ts', import.meta.url)),
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
