import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { startDurable } from '../support/durable-server.js';
import { idlesThrough, type Outage, worksThrough } from '../support/outage.js';
import type { DatabaseServer } from '../support/server-process.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';
import { unhandledDuring } from '../support/unhandled.js';

const leaseMs = 20_000;

describe.each(serverKinds)('a worker on %s goes on by itself when its server', (kind) => {
  let server: DatabaseServer;
  let sandbox: ServerSandbox;
  beforeAll(async () => {
    server = await startDurable(kind);
    sandbox = await new ServerSandbox(kind, server.url).make();
    await sandbox.open().migrate();
  });
  afterAll(async () => {
    await sandbox.clean();
    await server.stop();
  });

  const driver = () => database({ url: sandbox.url, lease: `${leaseMs}ms`, commandTimeout: '500ms' });
  const lapse = async (): Promise<void> => {
    const client = await sandbox.plain(); // the server knows none from before
    await client.query(`UPDATE jobs SET available_at = available_at - ${leaseMs}`);
  };
  const killed: Outage['happen'] = async (noticed) => {
    await server.kill();
    await noticed();
    await server.start();
  };
  const hung: Outage['happen'] = async (noticed) => {
    await server.freeze();
    await noticed();
    server.thaw();
  };

  test.each([
    ['was killed and started again', killed],
    ['hung for longer than commands may take', hung],
  ])('%s while jobs run', async (what, happen) => {
    const outage: Outage = { driver, lapse, happen, queues: ['q'] };
    const works = async () => {
      const { accepted, lost, doubled, standstillMs } = await worksThrough(outage);
      console.log(
        `${kind} ${what}: ${accepted} jobs, ${lost} lost, ${doubled} ran twice; none ran for ${standstillMs} ms`,
      );
    };
    expect(await unhandledDuring(works)).toEqual([]);
  });

  test.each([
    ['was killed and started again', killed],
    ['hung for longer than commands may take', hung],
  ])('%s while it had nothing to do', async (_, happen) => {
    expect(await unhandledDuring(() => idlesThrough({ driver, happen, queues: ['q'] }))).toEqual([]);
  });
});
