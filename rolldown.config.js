import { isAbsolute } from 'node:path';
import { defineConfig } from 'rolldown';
import manifest from './package.json' with { type: 'json' };

/** What is imported, or run, by its own path; all else is gathered in files that these share: see ADR 16. */
const entries = [
  ...Object.values(manifest.exports).flatMap((one) => one.default ?? []),
  './dist/cli/start.js',
  './dist/cli/supervise/run-supervised.js',
].map((file) => file.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, ''));

/** What most processes need together, in one file each: every file costs the start of a process 0.4 ms. */
const groups = [
  // Each with what it imports, unless that is in one of those above.
  { name: 'src', test: /\/(src\/index|config\/open-queue)\.ts$|rolldown\/runtime/ },
  // And what the dialects share; each of these is loaded where it is used, as a file of its own.
  {
    name: 'database',
    test: /\/drivers\/database\/(index|server-errors|dialects\/(?!mysql|postgres|sqlite)[^/]+)\.ts$/,
  },
  { name: 'command', test: /\/cli\/(context|commands\/work|supervise\/run-supervised)\.ts$/ },
];

const published = new Set(
  Object.values(manifest.exports).flatMap((one) => one.default?.replace(/^\.\/dist\/(.*)\.js$/, '$1') ?? []),
);

/**
 * For bundlers of applications, and for V8. Node's own modules are asked for in a way that holds in ES modules too, and where
 * a file lies is not taken for granted. In code that V8 kept `import()` does not work: a file beside has it.
 */
const portable = {
  name: 'portable',
  resolveId: (id) => (id.endsWith('/loader/load.js') ? { id: 'loader/load.cjs', external: true } : undefined),
  renderChunk(code, { fileName }) {
    const loader = `${'../'.repeat(fileName.split('/').length - 1)}loader`;
    const text = code
      .replaceAll(/(?<![.\w$])require\("(node:[^"]+|url)"\)/g, 'process.getBuiltinModule("$1")')
      .replaceAll(/(?<![.\w$])import\(/g, `require("${loader}/import-module.cjs").importModule(`)
      .replaceAll('require("loader/', `require("${loader}/`)
      .replaceAll('__filename', '(typeof __filename === "string" ? __filename : process.argv[1])');
    return `"use strict"; ${text}`;
  },
};

/**
 * The published entry points are ES modules, each in two forms: Node is given one that requires the code, as an import of CommonJS
 * has it load a parser first, 1.2 MiB and 8 ms; bundlers are given one that they can follow.
 */
const facades = {
  name: 'facades',
  generateBundle(_, bundle) {
    for (const { name, fileName, exports, isEntry } of Object.values(bundle)) {
      if (!isEntry || !published.has(name)) continue;
      const file = `"./${fileName.replace(/^.*\//, '')}"`;
      const require = 'process.getBuiltinModule("node:module").createRequire(import.meta.url)';
      const names = `export const { ${exports.join(', ')} } = code;\n`;
      for (const [end, code] of [
        ['js', `const code = ${require}(${file});\n`],
        ['mjs', `import code from ${file};\n`],
      ]) {
        this.emitFile({ type: 'asset', fileName: `${name}.${end}`, source: code + names });
      }
    }
  },
};

/**
 * In ASCII, other characters escaped: V8 keeps such a text in one byte a character in place of two. Last of all, as the
 * bundler writes its strings anew after `renderChunk`.
 */
const ascii = {
  name: 'ascii',
  generateBundle: (_, bundle) => {
    for (const file of Object.values(bundle)) {
      file.code = file.code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${hex(unit)}`);
    }
  },
};

const hex = (unit) => unit.charCodeAt(0).toString(16).padStart(4, '0');

const shared = { platform: 'node', tsconfig: 'tsconfig.build.json', plugins: [ascii] };

/** The program: CommonJS, and what it imports when it runs are files of the others. */
const program = {
  ...shared,
  input: './cli/bin.ts',
  external: /^node:|\.cjs$/,
  output: { file: 'dist/cli/bin.cjs', format: 'cjs', comments: { jsdoc: false } },
};

/** What loads the others for the program, and imports for them. */
const loaders = ['load', 'import-module'].map((name) => ({
  ...shared,
  input: `./loader/${name}.ts`,
  external: /^node:/,
  output: { file: `dist/loader/${name}.cjs`, format: 'cjs', comments: { jsdoc: false } },
}));

/** What a supervisor runs: it loads no module, and shares nothing with those that are. */
const supervisor = {
  ...shared,
  input: './cli/run-supervisor.ts',
  external: /^node:|^picocolors$/,
  output: {
    file: 'dist/cli/run-supervisor.cjs',
    format: 'cjs',
    codeSplitting: false,
    comments: { jsdoc: false },
  },
};

/** The thread beside each worker: alone, and CommonJS, it starts with half the processor time. */
const watchdog = {
  ...shared,
  input: './cli/supervise/watchdog.ts',
  external: /^node:/,
  output: { file: 'dist/cli/supervise/watchdog.cjs', format: 'cjs', comments: { jsdoc: false } },
};

export default defineConfig([
  program,
  ...loaders,
  supervisor,
  watchdog,
  {
    ...shared,
    input: Object.fromEntries(entries.map((name) => [name, `./${name}.ts`])),
    external: (name) => !name.startsWith('.') && !isAbsolute(name),
    plugins: [...shared.plugins, portable, facades],
    output: {
      dir: 'dist',
      format: 'cjs',
      codeSplitting: {
        groups: groups.map((group, index) => ({ ...group, priority: groups.length - index })),
      },
      entryFileNames: '[name].cjs',
      // Without a hash, so that the next build leaves nothing behind.
      chunkFileNames: 'chunks/[name].cjs',
      // They are in the types, where editors look, and in the sources; here each process would read past them.
      comments: { jsdoc: false },
    },
  },
]);
