import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { makeProject } from './project.js';

const require = createRequire(import.meta.url);

test('a config and its options pass a type check without @types/node, the types of drover included', async () => {
  const directory = await makeProject({
    'app.ts': `
      import { openQueue } from 'drover/config';
      import { memory } from 'drover/drivers/memory';
      const env: Record<string, string | undefined> = { QUEUE_CONNECTION: 'main' };
      export const queue = openQueue({ config: { connections: { main: memory() } }, env });
      // @ts-expect-error: a variable is text
      openQueue({ env: { QUEUE_CONNECTION: 1 } });`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        lib: ['es2022', 'dom'],
        module: 'nodenext',
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: [],
      },
    }),
  });
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', directory]).catch(
    (error) => error,
  );
  expect(stdout).toBe('');
});
