import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { inject } from 'vitest';
import { connectDatabase, type Internals } from '../../drivers/database/connect.js';
import type { DatabaseOptions } from '../../drivers/database/options.js';
import { readOptions } from '../../drivers/database/settings.js';
import { type Logger, silentLogger } from '../../src/index.js';
import type { SqliteConnector } from './sqlite.js';

/** The servers that the database driver speaks to and the tests have. */
export const serverKinds = ['mariadb', 'postgres'] as const;

/** One of them. */
export type ServerName = (typeof serverKinds)[number];

/** Rows as the plain clients give them. */
type Rows = Record<string, unknown>[];

/** A plain connection, for what a test does behind the driver's back. */
export interface PlainClient {
  query(sql: string): Promise<Rows>;
  end(): Promise<void>;
}

/** A database of its own for one test file, on a server that all files share, and the connectors opened on it. */
export class ServerSandbox {
  readonly kind: ServerName;
  readonly url: string;
  readonly #server: string;
  readonly #name = `drover_${randomBytes(6).toString('hex')}`;
  readonly #opened: { close(): Promise<void> }[] = [];
  #plain: PlainClient | undefined;
  #prefixes = 0;

  /** @param server the URL of a server without a database; the shared one unless told. */
  constructor(kind: ServerName, server: string = inject(kind === 'mariadb' ? 'mariadbUrl' : 'postgresUrl')) {
    this.kind = kind;
    this.#server = server;
    this.url = `${server}${this.#name}`;
  }

  /** The database as it is reached by another port, that of a proxy. */
  urlAt(port: number): string {
    return this.url.replace(/:\d+\//, `:${port}/`);
  }

  /** Makes the database. */
  async make(): Promise<this> {
    const client = await this.#onServer();
    await client.query(`CREATE DATABASE ${this.#name}`);
    await client.end();
    this.#plain = await plainClient(this.kind, this.url);
    return this;
  }

  /** A prefix for tables that nobody has yet. */
  newPrefix(): string {
    this.#prefixes += 1;
    return `t${this.#prefixes}_`;
  }

  /** A connector, closed by `clean`. */
  open(
    options: Partial<DatabaseOptions> = {},
    internals: Internals & { readonly logger?: Logger } = {},
  ): SqliteConnector {
    const settings = readOptions(options.knex === undefined ? { url: this.url, ...options } : options);
    const context = {
      connection: 'db',
      // The server's clock must rule: this one is far off.
      clock: { now: () => 1 },
      logger: internals.logger ?? silentLogger,
      runInline: async () => {},
    };
    const connector = connectDatabase(settings, context, internals) as SqliteConnector;
    this.#opened.push(connector);
    return connector;
  }

  /** Runs SQL behind the connectors' backs. */
  async sql(text: string): Promise<Rows> {
    if (this.#plain === undefined) throw new Error('make() comes first');
    return await this.#plain.query(text);
  }

  /** Another plain connection, ended by `clean`. */
  async plain(): Promise<PlainClient> {
    const client = await plainClient(this.kind, this.url);
    this.#opened.push({ close: () => client.end() });
    return client;
  }

  /** Milliseconds since the epoch by the server's clock. */
  async now(): Promise<number> {
    const expression =
      this.kind === 'mariadb' ? 'ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)' : 'extract(epoch from now()) * 1000';
    const [row] = await this.sql(`SELECT ${expression} AS now`);
    return Number(row?.now);
  }

  /** Lets time pass for a table of jobs: all its times come nearer. */
  async advance(ms: number, table = 'jobs'): Promise<void> {
    await this.sql(`UPDATE ${table} SET available_at = available_at - ${ms}, due_at = due_at - ${ms}`);
  }

  /** Lines of the shared server's log about deadlocks in this database. */
  deadlocks(): string[] {
    const isMariadb = this.kind === 'mariadb';
    const lines = readFileSync(inject(isMariadb ? 'mariadbLog' : 'postgresLog'), 'utf8').split('\n');
    // MariaDB prints the locks of both transactions, PostgreSQL one line that says so.
    const about = isMariadb ? /RECORD LOCKS/ : /deadlock detected/;
    return lines.filter((line) => line.includes(this.#name) && about.test(line));
  }

  /** Closes every connector and drops the database. */
  async clean(): Promise<void> {
    await Promise.all(this.#opened.map((one) => one.close()));
    await this.#plain?.end();
    const client = await this.#onServer();
    await client.query(`DROP DATABASE ${this.#name}`);
    await client.end();
  }

  #onServer(): Promise<PlainClient> {
    return plainClient(this.kind, this.kind === 'mariadb' ? this.#server : `${this.#server}postgres`);
  }
}

async function plainClient(kind: ServerName, url: string): Promise<PlainClient> {
  if (kind === 'mariadb') {
    const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
    connection.on('error', () => {});
    return {
      query: async (sql) => (await connection.query(sql))[0] as Rows,
      end: () => connection.end().catch(() => connection.destroy()),
    };
  }
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  return { query: async (sql) => (await client.query(sql)).rows, end: () => client.end() };
}
