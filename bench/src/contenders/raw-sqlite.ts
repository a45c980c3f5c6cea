import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Contender, JobData } from '../contender.js';

interface Row {
  readonly id: number;
  readonly payload: string;
}

const schema = `
CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, queue TEXT, available_at INTEGER, payload TEXT);
CREATE INDEX IF NOT EXISTS due ON jobs (queue, available_at, id)`;

/** The limit on SQLite: better-sqlite3 and one transaction for `batch` jobs. Concurrency changes nothing. */
export function open(file: string, batch: number): Contender {
  const database = new Database(file, { timeout: 10_000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(schema);
  const insert = database.prepare("INSERT INTO jobs (queue, available_at, payload) VALUES ('bench', ?, ?)");
  const remove = database.prepare('DELETE FROM jobs WHERE id = ?');
  const reserve = database.prepare<[number, number, number], Row>(`
UPDATE jobs SET available_at = ? WHERE id IN (
  SELECT id FROM jobs WHERE queue = 'bench' AND available_at <= ? ORDER BY available_at, id LIMIT ?
) RETURNING id, payload`);

  const add = (data: JobData) => insert.run(Date.now(), JSON.stringify(data));
  const addAll = database.transaction((list: readonly JobData[]) => list.map(add));
  const next = database.transaction((handled: readonly Row[]) => {
    for (const { id } of handled) remove.run(id);
    return reserve.all(Date.now() + 90_000, Date.now(), batch);
  }).immediate;
  return {
    push: add,
    pushMany: addAll,
    work: async (_, handle) => {
      for (let rows: readonly Row[] = []; ; ) {
        rows = next(rows);
        for (const { payload } of rows) handle(JSON.parse(payload) as JobData);
        await (rows.length === 0 ? pause(1) : nextTurn());
      }
    },
    close: () => database.close(),
  };
}
