import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { CliProject } from '../support/cli.js';
import type { ProjectStore } from './supervisor-project.js';

/**
 * Puts payloads into the queue `default` of a project as other programs may: nothing looks at them on their way.
 *
 * @param store of its jobs; without one they are on SQLite.
 */
export async function putRaw(
  project: CliProject,
  store: ProjectStore | undefined,
  payloads: readonly string[],
): Promise<void> {
  if (store?.url.startsWith('redis')) {
    const client = new Redis(store.url);
    await client.rpush('{queues:default}', ...payloads);
    await client.quit();
    return;
  }
  // Not due until it is as it shall be: workers look on.
  const delay = '1h';
  const ids = await (await project.queue()).bulk('counts', Array(payloads.length).fill(null), { delay });
  const rows = ids.map((id, at) => [payloads[at] ?? '', id] as const);
  const table = `${store?.prefix ?? ''}jobs`;
  const change = (first: string, second: string) =>
    `UPDATE ${table} SET payload = ${first}, available_at = created_at WHERE job_id = ${second}`;
  if (store === undefined) {
    const db = new Database(project.path('queue.sqlite'));
    const statement = db.prepare(change('?', '?'));
    db.transaction(() => rows.forEach((row) => void statement.run(...row)))();
    db.close();
  } else if (store.url.startsWith('mysql')) {
    const client = await mysql.createConnection(store.url);
    await client.beginTransaction();
    for (const row of rows) await client.query(change('?', '?'), [...row]);
    await client.commit();
    await client.end();
  } else {
    const client = new pg.Client(store.url);
    await client.connect();
    await client.query('BEGIN');
    for (const row of rows) await client.query(change('$1', '$2'), [...row]);
    await client.query('COMMIT');
    await client.end();
  }
}

/** How long the file is locked at a time, and how long it is free in between. */
const [lockedMs, freeMs] = [250, 50];

/** Keeps the file of a project locked most of the time, so that all who write to it wait. */
export async function slowDown(project: CliProject, signal: AbortSignal): Promise<void> {
  const db = new Database(project.path('queue.sqlite'));
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  while (!signal.aborted) {
    db.exec('BEGIN IMMEDIATE');
    await pause(lockedMs);
    db.exec('COMMIT');
    await pause(freeMs);
  }
  db.close();
}
