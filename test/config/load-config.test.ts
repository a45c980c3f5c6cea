import { describe, expect, test } from 'vitest';
import { isQueueError } from '../../src/index.js';
import { loadConfig } from './built.js';
import { errorOf, makeProject } from './project.js';

const env = {};

/** A config in JavaScript whose one connection bears the name. */
const named = (name: string) =>
  `import { memory } from 'drover/drivers/memory';\nexport default { connections: { ${name}: memory() } };\n`;

describe('TypeScript', () => {
  test('loads with types, enums and imports of other files under their .js names', async () => {
    const cwd = await makeProject({
      'drover.config.ts': `
        import type { QueueConfig } from 'drover';
        import { defineConfig } from 'drover/config';
        import { memory } from 'drover/drivers/memory';
        import { Names, leases } from './settings.js';
        interface Local { readonly tries: number }
        const worker = { tries: 7 } satisfies Local as Local;
        const config: QueueConfig = defineConfig({
          connections: { [Names.Main]: memory({ lease: leases.long! }) },
          worker,
        });
        export default config;`,
      'settings.ts': `
        export enum Names { Main = 'main' }
        export const leases: Record<string, '5m' | undefined> = { long: '5m' };`,
    });
    const { config } = await loadConfig({ cwd, env });
    expect(config.connections.main?.settings.leaseMs).toBe(300_000);
    expect(config.worker).toEqual({ tries: 7 });
  });

  test('loads in a CommonJS package, as does JavaScript with ES syntax', async () => {
    const packageJson = { 'package.json': '{}' };
    const ts = await makeProject({ ...packageJson, 'drover.config.ts': named('main') });
    expect((await loadConfig({ cwd: ts, env })).config.default).toBe('main');
    const js = await makeProject({ ...packageJson, 'drover.config.js': named('main') });
    expect((await loadConfig({ cwd: js, env })).config.default).toBe('main');
  });

  test('JavaScript with ES syntax that Node takes for CommonJS comes with the remedy', async () => {
    const cwd = await makeProject({
      'package.json': '{ "type": "commonjs" }',
      'drover.config.js': named('main'),
    });
    const error = await errorOf(loadConfig({ cwd, env }));
    expect(error.message).toContain('Cannot use import statement outside a module');
    expect(error.fix).toBe('Rename it to .mjs, or set "type": "module" in package.json.');
  });

  test('compiled to CommonJS, the default export is still found', async () => {
    const cwd = await makeProject({
      'package.json': '{}',
      'drover.config.js': `
        Object.defineProperty(exports, '__esModule', { value: true });
        const { memory } = require('drover/drivers/memory');
        exports.default = { connections: { main: memory() } };`,
    });
    expect((await loadConfig({ cwd, env })).config.default).toBe('main');
  });

  test('values of another copy of drover are as good', async () => {
    const driver = `{ driver: 'other', settings: { queue: 'default', leaseMs: 90000 }, connect() {} }`;
    const cwd = await makeProject({
      'drover.config.ts': `export default { connections: { main: ${driver} } };`,
    });
    expect((await loadConfig({ cwd, env })).config.connections.main?.driver).toBe('other');
  });
});

describe('files that cannot be used', () => {
  test.each(['drover.config.ts', 'drover.config.mjs'])(
    '%s that throws is named with the line',
    async (file) => {
      const cwd = await makeProject({
        [file]: `\n\nthrow new TypeError('no such setting\\nsecond line');\nexport default {};`,
      });
      const error = await errorOf(loadConfig({ cwd, env }));
      expect(isQueueError(error, 'E_CONFIG')).toBe(true);
      expect(error.message).toBe(`could not load ${file}: TypeError: no such setting (${file}:3)`);
      expect((error.cause as Error).message).toContain('second line');
    },
  );

  test('the line is that of the file at fault, not of the config that imports it', async () => {
    const cwd = await makeProject({
      'drover.config.ts': `import './lib/broken.js';\nexport default {};`,
      'lib/broken.ts': `\n\n\nthrow new Error('broken');\nexport {};`,
    });
    const error = await errorOf(loadConfig({ cwd, env }));
    expect(error.message).toBe('could not load drover.config.ts: broken (lib/broken.ts:4)');
  });

  test('a slip in the syntax of TypeScript has its line, of JavaScript the way to it', async () => {
    const ts = await makeProject({ 'drover.config.ts': 'export default {};\nconst b: number = ;' });
    expect((await errorOf(loadConfig({ cwd: ts, env }))).message).toMatch(
      /^could not load drover\.config\.ts: ParseError: Unexpected token \(drover\.config\.ts:2\)$/,
    );
    const js = await makeProject({ 'drover.config.mjs': 'export default {};\nconst b = ;' });
    const error = await errorOf(loadConfig({ cwd: js, env }));
    expect(error.message).toBe("could not load drover.config.mjs: SyntaxError: Unexpected token ';'");
    expect(error.fix).toContain('node --check drover.config.mjs');
  });

  test.each(['ts', 'mjs'])(
    'a package that is missing (%s) comes with the command to install it',
    async (extension) => {
      const cwd = await makeProject({
        [`drover.config.${extension}`]: `import '@acme/absent/part';\nexport default {};`,
      });
      const error = await errorOf(loadConfig({ cwd, env }));
      expect(error.message).toContain("'@acme/absent");
      expect(error.fix).toBe('Install it: npm install @acme/absent.');
    },
  );

  test("a driver's refusal keeps its words and its remedy", async () => {
    const cwd = await makeProject({
      'drover.config.mjs': `
        import { memory } from 'drover/drivers/memory';
        export default { connections: { main: memory({ lease: 'soon' }) } };`,
    });
    const error = await errorOf(loadConfig({ cwd, env }));
    expect(error).toMatchObject({
      code: 'E_CONFIG',
      message: "could not load drover.config.mjs: lease: 'soon' is not a time span (drover.config.mjs:3)",
    });
    expect(error.fix).toContain("'30s'");
  });

  test.each(['undefined', 'null', '"text"', '{}', 'Symbol("s")'])(
    'even `throw %s` is told cleanly',
    async (thrown) => {
      const cwd = await makeProject({ 'drover.config.mjs': `throw ${thrown};` });
      const error = await errorOf(loadConfig({ cwd, env }));
      expect(isQueueError(error, 'E_CONFIG')).toBe(true);
      expect(error.message).toMatch(/^could not load drover\.config\.mjs: .*thrown$/);
    },
  );

  test('a missing default export is told with the remedy', async () => {
    const cwd = await makeProject({ 'drover.config.ts': 'export const config = {};' });
    const error = await errorOf(loadConfig({ cwd, env }));
    expect(error).toMatchObject({ code: 'E_CONFIG', message: 'drover.config.ts has no default export' });
    expect(error.fix).toContain('export default defineConfig(');
  });

  test('a default export that cannot be a config is told what it is', async () => {
    const cwd = await makeProject({ 'drover.config.ts': 'export default async () => ({});' });
    const error = await errorOf(loadConfig({ cwd, env }));
    expect(error.message).toBe('drover.config.ts: the config is a function, not an object');
  });

  test('a config that holds itself, in a file that imports itself, is read once', async () => {
    const cwd = await makeProject({
      'drover.config.ts': `
        import { memory } from 'drover/drivers/memory';
        import * as self from './drover.config.js';
        const config: any = { connections: { main: memory() }, worker: { backoff: {} } };
        config.worker.backoff.self = config;
        config.self = self;
        export default config;`,
    });
    const error = await errorOf(loadConfig({ cwd, env }));
    expect(error.message.split('\n')).toEqual([
      'drover.config.ts: 2 problems',
      expect.stringMatching(/^ {2}self: unknown key/),
      expect.stringMatching(/^ {2}worker\.backoff: .*is not a backoff/),
    ]);
  });

  test('a password in a URL is shown nowhere, causes included', async () => {
    const url = 'mysql://app:s3cr3t/CAN@RY#1@db.example/app';
    for (const code of [
      `throw new Error('cannot reach ${url}');`,
      `import { database } from 'drover/drivers/database';\nexport default { connections: { main: database('${url}') } };`,
      `export default { connections: { main: '${url}' } };`,
    ]) {
      const cwd = await makeProject({ 'drover.config.mjs': code });
      const error = await errorOf(loadConfig({ cwd, env }));
      expect(isQueueError(error)).toBe(true);
      for (let at: unknown = error; at !== undefined; at = (at as Error).cause) {
        const { message, stack, fix } = at as { message: string; stack: string; fix?: string };
        expect(`${message}${stack}${fix}`).not.toMatch(/s3cr3t|CAN|RY#1/);
      }
    }
  });
});
