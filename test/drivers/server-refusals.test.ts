import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connector } from '../../src/index.js';
import { startMariadb } from '../support/mariadb-server.js';
import { startPostgres } from '../support/postgres-server.js';
import type { DatabaseServer } from '../support/server-process.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';

// Real servers of their own that refuse: what they are told here would be told to all.

const job = (id: string, body = '{}') => ({ id, body });
const unavailable = { code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false };

/** What a push is refused with; repeats it until then. */
async function refusalOf(connector: Connector, body = '{}'): Promise<unknown> {
  for (let count = 0; ; count += 1) {
    try {
      await connector.push('mail', [job(`refused-${count}`, body)]);
    } catch (error) {
      return error;
    }
  }
}

/** A push that is refused for a while, in the way that is told, and then goes through. */
async function passesAgain(connector: Connector, refusal: object): Promise<void> {
  for (;;) {
    try {
      expect(await connector.push('mail', [job('after')])).toEqual(['stored']);
      return;
    } catch (error) {
      expect(error).toMatchObject(refusal);
    }
  }
}

function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}

function sandboxOn(kind: ServerName, start: () => Promise<DatabaseServer>) {
  const on = {} as { server: DatabaseServer; sandbox: ServerSandbox };
  beforeAll(async () => {
    on.server = await start();
    on.sandbox = await new ServerSandbox(kind, on.server.url).make();
  });
  afterAll(async () => {
    await on.sandbox.clean();
    await on.server.stop();
  });
  return on;
}

describe('MariaDB', () => {
  const on = sandboxOn('mariadb', () => startMariadb());

  test('a full table (1114) takes no job, and takes them again once others are gone', async () => {
    const connector = on.sandbox.open({ prefix: 'full_' });
    await connector.push('mail', [job('before')]);
    // A table of InnoDB is full when its disk is; one of this kind at 64 KiB, with pointers of two bytes.
    await on.sandbox.sql('SET GLOBAL myisam_data_pointer_size = 2');
    const plain = await on.sandbox.plain();
    await plain.query('ALTER TABLE full_jobs ENGINE = MyISAM');
    const full = { code: 'E_STORE_FULL', transient: true, ambiguous: false };
    const error = await refusalOf(connector, 'x'.repeat(10_000));
    expect(error).toMatchObject({ ...full, cause: { errno: 1114 } });
    const { ready } = await connector.size('mail');
    expect(ready).toBeGreaterThan(1);
    expect((await connector.clear('mail')).ready).toBe(ready);
    await passesAgain(connector, full);
  });

  test('a server that is read-only (1290) refuses what writes, and is written again afterwards', async () => {
    await on.sandbox.sql(
      `CREATE USER app@'%'; GRANT ALL ON *.* TO app@'%'; REVOKE READ_ONLY ADMIN, SUPER ON *.* FROM app@'%'`,
    );
    const connector = on.sandbox.open({ prefix: 'ro_', url: on.sandbox.url.replace('//root@', '//app@') });
    await connector.push('mail', [job('before')]);
    await on.sandbox.sql('SET GLOBAL read_only = 1');
    expect(await refusalOf(connector)).toMatchObject({ ...unavailable, cause: { errno: 1290 } });
    expect(await connector.size('mail')).toMatchObject({ ready: 1 });
    await on.sandbox.sql('SET GLOBAL read_only = 0');
    await passesAgain(connector, unavailable);
  });

  test('a server without a free connection (1040) is taken up again once it has one', async () => {
    const connector = on.sandbox.open({ prefix: 'many_' });
    await on.sandbox.sql('SET GLOBAL max_connections = 10');
    const others = [];
    for (;;) {
      const other = await on.sandbox.plain().catch((error: unknown) => error);
      if (other instanceof Error) break;
      others.push(other as Awaited<ReturnType<typeof on.sandbox.plain>>);
    }
    expect(await refusalOf(connector)).toMatchObject({ ...unavailable, cause: { errno: 1040 } });
    for (const other of others) await other.end();
    await passesAgain(connector, unavailable);
  });
});

describe('PostgreSQL', () => {
  const on = sandboxOn('postgres', () => startPostgres());

  test('a server that is read-only (25006) refuses what writes, and is written again afterwards', async () => {
    const connector = on.sandbox.open({ prefix: 'ro_' });
    await connector.push('mail', [job('before')]);
    await on.sandbox.sql('ALTER SYSTEM SET default_transaction_read_only = on');
    await on.sandbox.sql('SELECT pg_reload_conf()');
    expect(await refusalOf(connector)).toMatchObject({ ...unavailable, cause: { code: '25006' } });
    expect((await connector.size('mail')).ready).toBeGreaterThan(0);
    await on.sandbox.sql('ALTER SYSTEM RESET default_transaction_read_only');
    await on.sandbox.sql('SELECT pg_reload_conf()');
    await passesAgain(connector, unavailable);
  });

  // Mounting a disk of that size is for root alone; elsewhere DROVER_SKIP='a full disk (53100)' asks to go without.
  test.runIf(process.getuid?.() === 0)('a full disk (53100) takes no job, and takes them again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-disk-'));
    const { uid, gid } = statSync(dirname(on.server.log)); // the server's own user
    run('mount', '-t', 'tmpfs', '-o', `size=2m,mode=700,uid=${uid},gid=${gid}`, 'tmpfs', folder);
    try {
      const connector = on.sandbox.open({ prefix: 'disk_' });
      await connector.push('mail', [job('before')]);
      await on.sandbox.sql(`CREATE TABLESPACE small LOCATION '${folder}'`);
      await on.sandbox.sql('ALTER TABLE disk_jobs SET TABLESPACE small');
      const full = { code: 'E_STORE_FULL', transient: true, ambiguous: false };
      const body = JSON.stringify(randomBytes(1000).toString('hex'));
      expect(await refusalOf(connector, body)).toMatchObject({ ...full, cause: { code: '53100' } });
      // What was accepted is there, and can be taken away.
      const { ready } = await connector.size('mail');
      expect(ready).toBeGreaterThan(100);
      expect((await connector.clear('mail')).ready).toBe(ready);
      run('mount', '-o', 'remount,size=8m', folder);
      await passesAgain(connector, full);
      await on.sandbox.sql('DROP TABLE disk_jobs');
      await on.sandbox.sql('DROP TABLESPACE small');
    } finally {
      run('umount', '--lazy', folder);
      rmdirSync(folder);
    }
  });

  test('a server without a free connection (53300) is taken up again once it has one', async () => {
    await on.sandbox.sql('CREATE ROLE app LOGIN CONNECTION LIMIT 0');
    await on.sandbox.sql('GRANT ALL ON SCHEMA public TO app');
    await on.sandbox.open().migrate(); // so that the record of migrations is there to be granted
    await on.sandbox.sql('GRANT ALL ON ALL TABLES IN SCHEMA public TO app');
    const url = on.sandbox.url.replace('//postgres@', '//app@');
    const connector = on.sandbox.open({ prefix: 'many_', url });
    expect(await refusalOf(connector)).toMatchObject({ ...unavailable, cause: { code: '53300' } });
    await on.sandbox.sql('ALTER ROLE app CONNECTION LIMIT -1');
    await passesAgain(connector, unavailable);
  });

  test('a server that takes no connections yet or any more (57P03) is taken up again', async () => {
    const connector = on.sandbox.open({ prefix: 'down_' });
    const [row] = await on.sandbox.sql(`SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid`);
    // It waits for the sessions that it has, ours among them, and takes no more.
    process.kill(Number(row?.pid), 'SIGTERM');
    expect(await refusalOf(connector)).toMatchObject({ ...unavailable, cause: { code: '57P03' } });
    await on.server.kill();
    await on.server.start();
    await passesAgain(connector, unavailable);
  });
});
