import { chmodSync, chownSync, copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTarget } from '../../drivers/database/target.js';
import type { Connector, QueueError } from '../../src/index.js';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { startMariadb } from '../support/mariadb-server.js';
import { startPostgres } from '../support/postgres-server.js';
import type { DatabaseServer } from '../support/server-process.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';

const job = { id: 'a', body: '{}' };

/** Gives a PostgreSQL server, which wants its key for itself, a certificate. */
async function certify(sandbox: ServerSandbox, { files }: Certificates): Promise<void> {
  const [row] = await sandbox.sql('SHOW data_directory');
  const data = String(row?.data_directory);
  const { uid, gid } = statSync(data);
  for (const [from, name] of [
    [files.cert, 'server.crt'],
    [files.key, 'server.key'],
  ] as const) {
    copyFileSync(from, join(data, name));
    chmodSync(join(data, name), 0o600);
    chownSync(join(data, name), uid, gid);
  }
  await sandbox.sql('ALTER SYSTEM SET ssl = on');
  await sandbox.sql('SELECT pg_reload_conf()');
  while ((await sandbox.sql('SHOW ssl'))[0]?.ssl !== 'on')
    await new Promise((resolve) => setTimeout(resolve, 20));
}

describe.each(serverKinds)('%s', (kind) => {
  let certificates: Certificates;
  let server: DatabaseServer;
  let sandbox: ServerSandbox;
  beforeAll(async () => {
    certificates = makeCertificates();
    const { cert, key } = certificates.files;
    const flags = [`--ssl-cert=${cert}`, `--ssl-key=${key}`];
    server = await (kind === 'mariadb' ? startMariadb({ flags }) : startPostgres());
    sandbox = await new ServerSandbox(kind, server.url).make();
    if (kind === 'postgres') await certify(sandbox, certificates);
  });
  afterAll(async () => {
    await sandbox?.clean();
    await server?.stop();
    certificates?.remove();
  });

  /** A connection to the server with the authority of its certificate. */
  function trusting(host: string, tls: object = { ca: certificates.ca }) {
    const { port, username: user, pathname } = new URL(sandbox.url);
    const connection = {
      host,
      port: Number(port),
      user,
      database: pathname.slice(1),
      ssl: kind === 'mariadb' && host === 'localhost' ? { ...tls, verifyIdentity: true } : tls,
    };
    return sandbox.open({ knex: { client: kind === 'postgres' ? 'pg' : 'mysql2', connection } });
  }

  async function refusal(connector: Pick<Connector, 'push'>): Promise<QueueError> {
    return connector.push('mail', [job]).then(
      () => expect.unreachable('it did not reject'),
      (error: QueueError) => error,
    );
  }

  test('with its authority it is spoken to, and in TLS', async () => {
    const connector = trusting('127.0.0.1');
    expect(await connector.push('mail', [job])).toEqual(['stored']);
    const sessions =
      kind === 'postgres'
        ? 'SELECT count(*) AS number FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND datname = current_database()'
        : "SELECT VARIABLE_VALUE AS number FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Ssl_finished_accepts'";
    expect(Number((await sandbox.sql(sessions))[0]?.number)).toBeGreaterThan(0);
  });

  test('what it is told of TLS may be frozen: nothing is written to it', async () => {
    // pg hides the key, also from other clients that the application has; mysql2 adds what was not said.
    const own = kind === 'postgres' ? certificates.server : {};
    const connector = trusting('127.0.0.1', Object.freeze({ ca: certificates.ca, ...own }));
    expect(await connector.push('frozen', [job])).toEqual(['stored']);
  });

  test('a certificate of an authority that nobody named is refused', async () => {
    const error = await refusal(sandbox.open({ url: `${sandbox.url}?sslmode=require` }));
    expect(error).toMatchObject({ code: 'E_CONFIG', transient: false, ambiguous: false });
    expect(error.message).toContain('TLS');
  });

  test('a certificate for another host is refused', async () => {
    const error = await refusal(trusting('localhost'));
    expect(error).toMatchObject({ code: 'E_CONFIG', transient: false, ambiguous: false });
    expect(error.message).toContain('TLS');
  });

  test('a URL asks for that too, where the host has a name', () => {
    const options = (host: string) =>
      readTarget(`${sandbox.url.replace('127.0.0.1', host)}?sslmode=require`, undefined);
    const isChecked = kind === 'mariadb' ? { verifyIdentity: true } : {};
    expect(options('db.example')).toMatchObject({ config: { connection: { ssl: isChecked } } });
    // pg checks the address as well; mysql2 would take any address for another host.
    expect(options('127.0.0.1')).toMatchObject({ config: { connection: { ssl: {} } } });
    expect(JSON.stringify(options('127.0.0.1'))).not.toContain('verifyIdentity');
  });

  test('a server without TLS is not spoken to without', async () => {
    const plain = await new ServerSandbox(kind).make();
    const error = await refusal(plain.open({ url: `${plain.url}?sslmode=require` }));
    expect(error).toMatchObject({ code: 'E_CONFIG', transient: false, ambiguous: false });
    expect(error.message).toContain('TLS');
    await plain.clean();
  });
});
