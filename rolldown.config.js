import { isAbsolute } from 'node:path';
import { defineConfig } from 'rolldown';
import manifest from './package.json' with { type: 'json' };

/** What is imported, or run, by its own path; all else is gathered in files that these share: see ADR 16. */
const entries = [
  ...Object.values(manifest.exports).flatMap((one) => one.default ?? []),
  manifest.bin.drover,
  './dist/cli/supervise/watchdog.js',
].map((file) => file.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, ''));

/** Small modules that most processes need, in one file each: every file costs the start of a process 0.4 ms. */
const groups = [
  {
    name: 'base',
    test: /\/src\/(errors|duration|shown|credentials|events)\.ts$|\/config\/package-folder\.ts$/,
  },
  {
    // What a supervisor needs to start its first worker process, which then gets ready beside it.
    name: 'first',
    test: /\/cli\/(start|flags|own-files|kill-group|supervise\/(words|run-supervisor|worker-process|board|monotonic))\.ts$/,
  },
  {
    name: 'command',
    test: /\/cli\/(args|process-io|reporting|logger|signals|worker-flags|job-report|supervise\/(supervise|orders|stack|protocol))\.ts$/,
  },
];

export default defineConfig({
  input: Object.fromEntries(entries.map((name) => [name, `./${name}.ts`])),
  external: (name) => !name.startsWith('.') && !isAbsolute(name),
  platform: 'node',
  tsconfig: 'tsconfig.build.json',
  output: {
    dir: 'dist',
    codeSplitting: { groups: groups.map((group, index) => ({ ...group, priority: groups.length - index })) },
    entryFileNames: '[name].js',
    // Without a hash, so that the next build leaves nothing behind.
    chunkFileNames: 'chunks/[name].js',
    // They are in the types, where editors look, and in the sources; here each process would read past them.
    comments: { jsdoc: false },
  },
});
