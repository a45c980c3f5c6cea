import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { defaultTables } from '../../migrations/index.js';
import type { Logger } from '../../src/index.js';
import { ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('postgres');
beforeAll(async () => {
  await sandbox.make();
  const name = new URL(sandbox.url).pathname.slice(1);
  await sandbox.sql(`ALTER DATABASE ${name} SET log_statement = 'all'`);
});
afterAll(() => sandbox.clean());

const beat = (id: string) => ({ id, about: `about ${id}`, keepMs: 60_000 });
const longMs = 600_000;

/** The statements that have written to a table of workers, each by its first word. */
function writesTo(table: string): string[] {
  const text = readFileSync(inject('postgresLog'), 'utf8');
  const statements = text.split(/^(?=\S+: [A-Z]+: )/m);
  return statements
    .filter((statement) => statement.includes(`INSERT INTO "${table}"`))
    .map((statement) => /(?:execute [^:]*|statement): *\s*(\w+)/.exec(statement)?.[1] ?? statement);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

function openBeating(prefix: string, logger?: Logger) {
  const connector = sandbox.open({ prefix }, logger === undefined ? {} : { logger });
  const { workers } = connector;
  if (!workers?.beatAlong) throw new Error('beats go along on PostgreSQL');
  return {
    connector,
    workers,
    beatAlong: workers.beatAlong,
    wait: async (maxWaitMs: number, signal = new AbortController().signal) =>
      await connector.waitForJob?.(['q'], maxWaitMs, signal),
  };
}

test('beats of several workers go along with one look', async () => {
  const prefix = sandbox.newPrefix();
  const { connector, workers, beatAlong, wait } = openBeating(prefix);
  const stop = new AbortController();
  for (const id of ['a', 'b']) beatAlong(beat(id));
  beatAlong({ ...beat('a'), about: 'said last' });
  const waiting = wait(longMs, stop.signal);
  await until(async () => (await workers.list()).length === 2);
  const about = (await workers.list()).map((entry) => entry.about);
  expect(about.sort()).toEqual(['about b', 'said last']);
  expect(writesTo(`${prefix}${defaultTables.workers}`)).toEqual(['WITH']);
  stop.abort();
  await waiting;
  await connector.close();
});

test('who leaves while its beat is under way is not on the list', async () => {
  const { connector, workers, beatAlong, wait } = openBeating(sandbox.newPrefix());
  await workers.list();
  for (let round = 0; round < 20; round += 1) {
    beatAlong(beat('a'));
    const waiting = wait(1);
    await new Promise(setImmediate);
    await workers.leave('a');
    await waiting;
    expect(await workers.list()).toEqual([]);
  }
  await connector.close();
});

test('a list that takes no beats keeps nobody from waiting for jobs', async () => {
  const prefix = sandbox.newPrefix();
  const warnings: unknown[] = [];
  const warn = (about: unknown): void => void warnings.push(about);
  const logger = { debug() {}, info() {}, warn, error() {} };
  const { connector, beatAlong, wait } = openBeating(prefix, logger);
  await connector.migrate();
  await sandbox.sql(`DROP TABLE ${prefix}${defaultTables.workers}`);
  beatAlong(beat('a'));
  const waiting = wait(longMs);
  await sandbox.open({ prefix }).push('q', [{ id: 'job', body: '{}' }]);
  await waiting;
  expect(await connector.reserve(['q'], 1, 60_000)).toMatchObject([{ id: 'job' }]);
  expect(warnings).toMatchObject([{ err: { code: 'E_STORE_SCHEMA' } }]);
  await connector.close();
});
