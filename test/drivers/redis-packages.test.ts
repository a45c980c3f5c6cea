import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'drover-redis-packages-'));
afterAll(() => rmSync(project, { recursive: true, force: true }));

test('without ioredis the first verb says how to install it, and prints nothing', () => {
  for (const part of ['loader', 'chunks', 'src', 'drivers/redis']) {
    cpSync(join(root, 'dist', part), join(project, 'dist', part), { recursive: true });
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const script = join(project, 'push.mjs');
  writeFileSync(
    script,
    `import { redis } from './dist/drivers/redis/index.js';
     const logger = { debug() {}, info() {}, warn() {}, error() {} };
     const connector = redis('redis://127.0.0.1').connect({ connection: 'r', clock: Date, logger, runInline: async () => {} });
     await connector.push('mail', [{ id: 'a', body: '{}' }]).catch(({ code, message, fix, transient }) => {
       console.log(JSON.stringify({ code, message, fix, transient }));
     });
     await connector.close();`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    code: 'E_DRIVER_MISSING',
    message: 'the redis driver needs the package ioredis, which is not installed',
    fix: 'Run: npm install ioredis@6',
    transient: false,
  });
});
