import mysql from 'mysql2/promise';
import pg from 'pg';

/** What a run asks of an SQL server behind the driver's back. */
export interface SqlServer {
  /** With the run's database. */
  readonly url: string;
  createDatabase(): Promise<void>;
  /** Rows of a table. */
  rows(table: string): Promise<number>;
}

const name = 'torture';

/** Each call has a connection of its own, as the server comes and goes. */
export function sqlServer(kind: 'mysql' | 'postgres', server: string): SqlServer {
  const url = `${server}${name}`;
  const ask = kind === 'mysql' ? askMysql : askPostgres;
  return {
    url,
    createDatabase: async () => {
      await ask(kind === 'mysql' ? server : `${server}postgres`, `CREATE DATABASE ${name}`);
    },
    rows: (table) => ask(url, `SELECT count(*) AS n FROM ${table}`),
  };
}

async function askMysql(url: string, sql: string): Promise<number> {
  const client = await mysql.createConnection(url);
  const [rows] = await client.query(sql);
  await client.end();
  return Array.isArray(rows) ? Number((rows[0] as { n?: unknown } | undefined)?.n) : 0;
}

async function askPostgres(url: string, sql: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return Number(rows[0]?.n);
}
