import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Contender, JobData } from '../contender.js';
import type { Row } from './raw-loop.js';

/** The table of the bare loops. */
export const schema = [
  'CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, queue TEXT, available_at INTEGER, payload TEXT)',
  'CREATE INDEX IF NOT EXISTS due ON jobs (queue, available_at, id)',
] as const;
/** Stores a job: when it is due, and what it holds. */
export const insert = "INSERT INTO jobs (queue, available_at, payload) VALUES ('bench', ?, ?)";
/** Reserves jobs: until when, those due now, and how many. */
export const reserve = `
UPDATE jobs SET available_at = ? WHERE id IN (
  SELECT id FROM jobs WHERE queue = 'bench' AND available_at <= ? ORDER BY available_at, id LIMIT ?
) RETURNING id, payload`;

/** The limit on SQLite: better-sqlite3 and one transaction for `batch` jobs. Concurrency changes nothing. */
export function open(file: string, batch: number): Contender {
  const database = new Database(file, { timeout: 10_000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  for (const statement of schema) database.exec(statement);
  const inserting = database.prepare(insert);
  const removing = database.prepare('DELETE FROM jobs WHERE id = ?');
  const reserving = database.prepare<[number, number, number], Row>(reserve);

  const add = (data: JobData, delayMs = 0) => inserting.run(Date.now() + delayMs, JSON.stringify(data));
  const addAll = database.transaction((list: readonly JobData[], delayMs: number) =>
    list.map((data) => add(data, delayMs)),
  );
  const next = database.transaction((handled: readonly Row[]) => {
    for (const { id } of handled) removing.run(id);
    return reserving.all(Date.now() + 90_000, Date.now(), batch);
  }).immediate;
  return {
    push: (data) => add(data),
    pushMany: (list, delayMs = 0) => addAll(list, delayMs),
    work: async (_, handle) => {
      for (let rows: readonly Row[] = []; ; ) {
        rows = next(rows);
        const underWay = rows.flatMap(({ payload }) => handle(JSON.parse(payload) as JobData) ?? []);
        if (underWay.length > 0) await Promise.all(underWay);
        await (rows.length === 0 ? pause(1) : nextTurn());
      }
    },
    close: () => database.close(),
  };
}
