import { isAbsolute } from 'node:path';
import { defineConfig } from 'rolldown';
import manifest from './package.json' with { type: 'json' };

/** What is imported, or run, by its own path; all else is gathered in files that these share: see ADR 16. */
const entries = [
  ...Object.values(manifest.exports).flatMap((one) => one.default ?? []),
  manifest.bin.drover,
  './dist/cli/supervise/watchdog.js',
].map((file) => file.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, ''));

export default defineConfig({
  input: Object.fromEntries(entries.map((name) => [name, `./${name}.ts`])),
  external: (name) => !name.startsWith('.') && !isAbsolute(name),
  platform: 'node',
  logLevel: 'warn',
  tsconfig: 'tsconfig.build.json',
  output: {
    dir: 'dist',
    // What code is called shows in stack traces and in events; names of files without a hash leave nothing behind.
    keepNames: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
  },
});
