import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { connectionSettings } from 'drover';
import { failedJobsIn, signalsIn } from './beside.mjs';

/**
 * A plain driver on an SQLite file, in which one thing can be broken: whatever `mutant` names. For proving that the
 * torture sees it; without a mutant it is right, and slow.
 */
export function naive({ file, leaseMs, mutant = 'none' }) {
  const settings = connectionSettings({ lease: `${leaseMs}ms`, queue: 'default' });
  return { driver: 'naive', settings, connect: () => new NaiveConnector(file, mutant) };
}

const schema = `
CREATE TABLE IF NOT EXISTS jobs (
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, queue TEXT, body TEXT, attempts INTEGER,
  delayed INTEGER, due INTEGER, token TEXT, lease INTEGER);
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (queue, delayed, due, n);
CREATE INDEX IF NOT EXISTS jobs_id ON jobs (id);
CREATE TABLE IF NOT EXISTS failed (uuid TEXT PRIMARY KEY, job_id TEXT, at INTEGER, record TEXT);
CREATE TABLE IF NOT EXISTS signals (key TEXT PRIMARY KEY, value TEXT)`;

/** What the broken migration of delayed jobs takes at a time; the rest is lost. */
const migrated = 100;
/** How long a popped job has no lease yet. */
const poppedMs = 60;
/** Of so many pushes one has its answer lost. */
const answersLost = 20;

class NaiveConnector {
  #file;
  #mutant;
  #opened;
  #pushes = 0;
  /** Jobs reserved here and not settled yet, by their tokens. */
  #held = new Map();

  constructor(file, mutant) {
    this.#file = file;
    this.#mutant = mutant;
    this.failedJobs = failedJobsIn(() => this.#db);
    this.signals = signalsIn(() => this.#db);
    if (mutant === 'exit-is-success') process.on('exit', (code) => code === 0 && this.#deleteHeld());
  }

  get #db() {
    if (this.#opened) return this.#opened;
    this.#opened = new Database(this.#file, { timeout: 10_000 });
    this.#opened.pragma('journal_mode = WAL');
    this.#opened.exec(schema);
    return this.#opened;
  }

  #run(sql, ...values) {
    return this.#db.prepare(sql).run(...values).changes;
  }

  #together(work) {
    return this.#db.transaction(work).immediate();
  }

  async push(queue, jobs) {
    this.#pushes += 1;
    if (this.#pushes % answersLost > 0) return this.#store(queue, jobs);
    // Nobody heard the answer: the client pushes again, and so soon that the job has not been worked meanwhile.
    const isNew = this.#mutant === 'new-id-on-retry';
    const again = isNew ? jobs.map((job) => ({ ...job, id: randomUUID() })) : jobs;
    return this.#together(() => {
      const outcomes = this.#store(queue, jobs);
      this.#store(queue, again);
      return outcomes;
    });
  }

  #store(queue, jobs) {
    return this.#together(() =>
      jobs.map(({ id, body, delayMs = 0, availableAtMs }) => {
        const isThere = this.#db.prepare('SELECT 1 FROM jobs WHERE id = ? AND queue = ?').get(id, queue);
        if (isThere) return 'already-there';
        const dueMs = availableAtMs ?? Date.now() + delayMs;
        this.#insert({ id, queue, body, attempts: 0 }, dueMs);
        return 'stored';
      }),
    );
  }

  #insert({ id, queue, body, attempts }, dueMs, token = null, leaseMs = null) {
    const sql =
      'INSERT INTO jobs (id, queue, body, attempts, delayed, due, token, lease) VALUES (?,?,?,?,?,?,?,?)';
    const isDelayed = Number(dueMs > Date.now());
    const values = [
      id,
      queue,
      body,
      attempts,
      isDelayed,
      Math.round(dueMs),
      token,
      leaseMs && Date.now() + leaseMs,
    ];
    return this.#db.prepare(sql).run(...values).lastInsertRowid;
  }

  async reserve(queues, limit, leaseMs) {
    const rows = this.#together(() => {
      this.#migrate();
      const found = [];
      const due = `SELECT * FROM jobs WHERE queue = ? AND delayed = 0 AND (token IS NULL OR lease <= ?)
        ORDER BY due, n LIMIT ?`;
      for (const queue of queues) {
        found.push(...this.#db.prepare(due).all(queue, Date.now(), limit - found.length));
      }
      return found.map((row) => this.#lease(row, leaseMs));
    });
    if (this.#mutant === 'pop-then-lease' && rows.length > 0) {
      await sleep(poppedMs);
      for (const row of rows) row.n = Number(this.#insert(row, row.due, row.token, leaseMs));
    }
    return rows.map((row) => {
      this.#held.set(row.token, row);
      const { id, queue, body, attempts } = row;
      return { id, queue, body, attempts, lease: { queue, token: row.token, handle: row.n } };
    });
  }

  #lease(row, leaseMs) {
    const token = randomUUID();
    const attempts = row.attempts + 1;
    const stored = this.#mutant === 'counts-afterwards' ? row.attempts : attempts;
    if (this.#mutant === 'pop-then-lease') this.#run('DELETE FROM jobs WHERE n = ?', row.n);
    else {
      const sql = 'UPDATE jobs SET token = ?, lease = ?, attempts = ? WHERE n = ?';
      this.#run(sql, token, Date.now() + leaseMs, stored, row.n);
    }
    return { ...row, token, attempts };
  }

  /** Delayed jobs that have fallen due become ready. */
  #migrate() {
    const now = Date.now();
    if (this.#mutant === 'drops-many-due') {
      const due = this.#db
        .prepare('SELECT n FROM jobs WHERE delayed = 1 AND due <= ? ORDER BY due, n')
        .all(now);
      for (const { n } of due.slice(migrated)) this.#run('DELETE FROM jobs WHERE n = ?', n);
    }
    this.#run('UPDATE jobs SET delayed = 0 WHERE delayed = 1 AND due <= ?', now);
  }

  async extend(leases, leaseMs) {
    if (this.#mutant === 'no-heartbeat') return leases.map(() => true);
    return leases.map((lease) => this.#change('UPDATE jobs SET lease = ?', lease, Date.now() + leaseMs));
  }

  async delete(leases) {
    return leases.map((lease) => this.#settle('DELETE FROM jobs', lease));
  }

  async release(releases) {
    return releases.map(({ lease, delayMs }) => {
      const job = this.#held.get(lease.token);
      const dueMs = Date.now() + delayMs;
      const counted = this.#mutant === 'counts-afterwards' ? ', attempts = attempts + 1' : '';
      const sql = `UPDATE jobs SET token = NULL, lease = NULL, due = ?, delayed = ?${counted}`;
      const wasHeld = this.#settle(sql, lease, Math.round(dueMs), Number(delayMs > 0));
      if (!wasHeld && job && this.#mutant === 'release-inserts') this.#insert(job, dueMs);
      return wasHeld;
    });
  }

  async unreserve(leases) {
    if (this.#mutant === 'term-drops') return this.delete(leases);
    const spent = this.#mutant === 'counts-afterwards' ? 0 : 1;
    const sql = `UPDATE jobs SET token = NULL, lease = NULL, attempts = attempts - ${spent}`;
    return leases.map((lease) => this.#settle(sql, lease));
  }

  async fail(failures) {
    if (this.#mutant === 'delete-then-log') {
      const held = await this.delete(failures.map(({ lease }) => lease));
      await sleep(1000);
      await this.failedJobs.record(failures.filter((_, index) => held[index]).map(({ record }) => record));
      return held;
    }
    const held = [];
    for (const { lease, record } of failures) {
      // One after the other and not as one: the record comes first, so that a crash leaves the job in both places.
      const isOurs = this.#change('UPDATE jobs SET lease = lease', lease);
      if (isOurs) await this.failedJobs.record([record]);
      held.push(isOurs && this.#settle('DELETE FROM jobs', lease));
    }
    return held;
  }

  #settle(sql, lease, ...values) {
    this.#held.delete(lease.token);
    return this.#change(sql, lease, ...values);
  }

  #change(sql, { token, handle }, ...values) {
    if (this.#mutant === 'settle-by-id') return this.#run(`${sql} WHERE n = ?`, ...values, handle) > 0;
    return this.#run(`${sql} WHERE n = ? AND token = ?`, ...values, handle, token) > 0;
  }

  #deleteHeld() {
    for (const token of this.#held.keys()) this.#run('DELETE FROM jobs WHERE token = ?', token);
  }

  async size(queue) {
    const now = Date.now();
    const count = (where) =>
      this.#db.prepare(`SELECT count(*) AS n FROM jobs WHERE queue = ? AND ${where}`).get(queue, now).n;
    const reserved = count('token IS NOT NULL AND lease > ?');
    const delayed = count('token IS NULL AND due > ?');
    const ready = count('1 OR due > ?') - reserved - delayed;
    return { ready, delayed, reserved };
  }

  async clear(queue) {
    const before = await this.size(queue);
    this.#run('DELETE FROM jobs WHERE queue = ? AND token IS NULL', queue);
    return { ...before, reserved: 0 };
  }

  async close() {
    this.#opened?.close();
  }
}
