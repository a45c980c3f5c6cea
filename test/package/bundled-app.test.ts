import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './root.js';

const clients = ['better-sqlite3', 'knex'];

/** Pushes and works a job, and sees what is greetd. */
const app = `
import { QueueError, createQueue, defineJob, isQueueError } from 'drover';
import { database } from 'drover/drivers/database';

const greet = defineJob({ name: 'greet', tries: 1, handle: ({ data }) => console.log('hello', data) });
const queue = createQueue({ connections: { default: database('sqlite:queue.sqlite') }, jobs: [greet] });
await queue.push(greet, 'Ada');
await queue.push(greet, 'x', { queue: '' }).catch((error) => console.log(isQueueError(error), error instanceof QueueError));
console.log(await queue.worker({ stopWhenEmpty: true }).run());
await queue.close();
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-bundled-'));
  for (const part of ['source/node_modules', 'bundle/node_modules']) {
    mkdirSync(join(folder, part), { recursive: true });
    for (const name of clients) symlinkSync(join(root, 'node_modules', name), join(folder, part, name));
  }
  symlinkSync(root, join(folder, 'source/node_modules/drover'));
  writeFileSync(join(folder, 'source/app.mjs'), app);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('an application can be bundled with drover into files that need the clients only', async () => {
  const input = join(folder, 'source/app.mjs');
  const bundle = await rolldown({ input, platform: 'node', external: clients });
  await bundle.write({
    dir: join(folder, 'bundle'),
    format: 'esm',
    entryFileNames: 'app.mjs',
    chunkFileNames: '[name].mjs',
  });
  await bundle.close();
  const ran = spawnSync(process.execPath, ['app.mjs'], { cwd: join(folder, 'bundle'), encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  expect(ran.stdout).toBe('true true\nhello Ada\nempty\n');
});
