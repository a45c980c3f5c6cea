import { escape as quoted } from 'mysql2';
import { createPool, type Pool, type PoolConnection } from 'mysql2/promise';

/** A PHP library with a table of jobs. */
export type PhpLibrary = 'think-3' | 'think-1' | 'laravel';

/** The settings of PHP's connection, and what differs from run to run. */
export interface PhpTableSettings {
  readonly prefix?: string;
  /** In seconds. */
  readonly retryAfter?: number;
  /** The seconds that PHP's clock shows. Default: this machine's. */
  now?(): number;
  /** Called between two transactions of a release, where PHP may die. */
  betweenReleases?(): Promise<void>;
}

/** A job that PHP has reserved. */
export interface PhpJob {
  readonly id: number;
  readonly queue: string;
  readonly raw: string;
  attempts(): number;
  delete(): Promise<void>;
  release(delay: number): Promise<void>;
}

/** A row as the server gives it. */
type Row = Readonly<Record<string, string | number | null>>;

/** Statements of one library, in its own spelling. */
interface Spelling {
  insert(rows: readonly Row[]): string;
  size(queue: string): string;
  expire?(queue: string, before: number): string;
  select(queue: string, now: number, before: number): string;
  reserve(row: Row, now: number): string;
  lock?(id: unknown): string;
  remove(id: unknown): string;
  newRow(queue: string, payload: string, attempts: number, due: number, now: number): Row;
}

/**
 * Plays the tables of PHP's libraries on MariaDB: statement by statement, with the gaps between them and with their
 * faults. What it sends is held to what the real ones were seen to send.
 */
export class PhpTable {
  /** What was sent. */
  readonly sent: string[] = [];
  readonly #pool: Pool;
  readonly #library: PhpLibrary;
  readonly #settings: PhpTableSettings;
  readonly #spelling: Spelling;
  readonly #failed: string;
  #connection: Promise<PoolConnection> | undefined;

  constructor(url: string, library: PhpLibrary, settings: PhpTableSettings = {}) {
    // As PHP's clients come: one connection, REPEATABLE READ.
    this.#pool = createPool({ uri: url, connectionLimit: 1, dateStrings: true });
    this.#library = library;
    this.#settings = settings;
    this.#spelling = spellings[library](`\`${settings.prefix ?? ''}jobs\``);
    this.#failed = `\`${settings.prefix ?? ''}failed_jobs\``;
  }

  /** Answers the id of the row, which version 1 does not. */
  pushRaw(payload: string, queue: string, delay = 0): Promise<number> {
    return this.#insert([this.#spelling.newRow(queue, payload, 0, this.#now() + delay, this.#now())]);
  }

  /** Answers how many. */
  async bulk(payloads: readonly string[], queue: string): Promise<number> {
    const now = this.#now();
    await this.#insert(payloads.map((payload) => this.#spelling.newRow(queue, payload, 0, now, now)));
    return payloads.length;
  }

  async size(queue: string): Promise<number> {
    const [row] = await this.#rows(this.#spelling.size(queue));
    return Number(Object.values(row ?? {})[0]);
  }

  async pop(queue: string): Promise<PhpJob | null> {
    const { retryAfter = 60 } = this.#settings;
    const now = this.#now();
    const before = now - retryAfter;
    if (this.#spelling.expire) await this.#send(this.#spelling.expire(queue, before));
    return await this.#transaction(async () => {
      const [row] = await this.#rows(this.#spelling.select(queue, now, before));
      if (row === undefined) return null;
      await this.#send(this.#spelling.reserve(row, now));
      return this.#job(row);
    });
  }

  /** Records a failed job, as version 3 does after it has deleted it. */
  async fail(job: PhpJob, connection: string, exception: string, failTime: string): Promise<void> {
    const values = [connection, job.queue, job.raw, exception, failTime];
    const columns = ['connection', 'queue', 'payload', 'exception', 'fail_time'];
    const set = columns.map((column, at) => `\`${column}\` = ${quoted(values[at] ?? null)}`).join(' , ');
    await this.#send(`INSERT INTO ${this.#failed} SET ${set}`);
  }

  /** `queue:failed`, as its rows. */
  failedJobs(): Promise<Row[]> {
    return this.#rows(`SELECT * FROM ${this.#failed} ORDER BY \`id\` DESC`);
  }

  /** `queue:retry <id>`: pushes before it forgets. Answers whether there was such a job. */
  async retry(id: string): Promise<boolean> {
    const where = `WHERE  \`id\` = ${quoted(id)}`;
    const [row] = await this.#rows(`SELECT * FROM ${this.#failed} ${where} LIMIT 1`);
    if (row === undefined) return false;
    await this.pushRaw(String(row.payload), String(row.queue));
    await this.#send(`DELETE FROM ${this.#failed} ${where}`);
    return true;
  }

  async forget(id: string): Promise<void> {
    await this.#send(`DELETE FROM ${this.#failed} WHERE  \`id\` = ${quoted(id)}`);
  }

  async flush(): Promise<void> {
    await this.#send(`DELETE FROM ${this.#failed}`);
  }

  async close(): Promise<void> {
    (await this.#connection)?.release();
    await this.#pool.end();
  }

  /** The job of a row, as the one who popped it has it: the row is as it was before. */
  heldJob(row: Row): PhpJob {
    return this.#job(row);
  }

  #job(row: Row): PhpJob {
    // Version 3 and Laravel count as they reserve, version 1 as the job comes back.
    const attempts = Number(row.attempts) + 1;
    const [id, queue, raw] = [Number(row.id), String(row.queue), String(row.payload)];
    const removed = async () => {
      if (this.#spelling.lock) await this.#rows(this.#spelling.lock(id));
      await this.#send(this.#spelling.remove(id));
    };
    const remove = () => (this.#spelling.lock ? this.#transaction(removed) : removed());
    const again = (delay: number) => {
      const now = this.#now();
      return this.#insert([this.#spelling.newRow(queue, raw, attempts, now + delay, now)]);
    };
    return {
      id,
      queue,
      raw,
      attempts: () => attempts,
      delete: remove,
      release: async (delay) => {
        if (this.#library === 'laravel') {
          await this.#transaction(async () => {
            await removed();
            await again(delay);
          });
          return;
        }
        await remove();
        await this.#settings.betweenReleases?.();
        await again(delay);
      },
    };
  }

  async #insert(rows: readonly Row[]): Promise<number> {
    const { insertId } = (await this.#send(this.#spelling.insert(rows))) as { readonly insertId: number };
    return insertId;
  }

  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.#send('START TRANSACTION');
    try {
      const result = await work();
      await this.#send('COMMIT');
      return result;
    } catch (error) {
      await this.#send('ROLLBACK');
      throw error;
    }
  }

  async #rows(sql: string): Promise<Row[]> {
    return (await this.#send(sql)) as Row[];
  }

  async #send(sql: string): Promise<unknown> {
    this.sent.push(sql);
    this.#connection ??= this.#pool.getConnection();
    const [result] = await (await this.#connection).query(sql);
    return result;
  }

  #now(): number {
    return this.#settings.now?.() ?? Math.floor(Date.now() / 1000);
  }
}

const text = (value: string | number | null): string => quoted(value);
const values = (row: Row): string[] => Object.values(row).map(text);

const spellings: Readonly<Record<PhpLibrary, (table: string) => Spelling>> = {
  'think-3': (table) => ({
    insert(rows) {
      const [row = {}] = rows;
      const names = Object.keys(row).map((name) => `\`${name}\``);
      if (rows.length === 1) {
        return `INSERT INTO ${table} SET ${names.map((name, at) => `${name} = ${values(row)[at]}`).join(' , ')}`;
      }
      const lists = rows.map((one) => `( ${values(one).join(',')} )`).join(' , ');
      return `INSERT INTO ${table} (${names.join(' , ')}) VALUES ${lists}`;
    },
    size: (queue) => `SELECT COUNT(*) AS think_count FROM ${table} WHERE  \`queue\` = ${text(queue)}`,
    select: (queue, now, before) =>
      `SELECT * FROM ${table} WHERE  \`queue\` = ${text(queue)}  AND (  (  \`reserve_time\` IS NULL  AND \`available_time\` <= ${now} ) OR (  \`reserve_time\` <= ${before} ) ) ORDER BY \`id\` ASC LIMIT 1   FOR UPDATE`,
    reserve: ({ id, attempts }, now) =>
      `UPDATE ${table}  SET \`reserve_time\` = ${now} , \`attempts\` = ${Number(attempts) + 1}  WHERE  \`id\` = ${id}`,
    lock: (id) => `SELECT * FROM ${table} WHERE  \`id\` = ${id} LIMIT 1   FOR UPDATE`,
    remove: (id) => `DELETE FROM ${table} WHERE  \`id\` = ${id}`,
    newRow: (queue, payload, attempts, due, now) => ({
      queue,
      attempts,
      reserve_time: null,
      available_time: due,
      create_time: now,
      payload,
    }),
  }),
  'think-1': (table) => ({
    insert([row = {}]) {
      const names = Object.keys(row).map((name) => `\`${name}\``);
      return `INSERT INTO ${table} (${names.join(' , ')}) VALUES (${values(row).join(' , ')})`;
    },
    size: (queue) => `SELECT COUNT(*) FROM ${table} WHERE  \`queue\` = ${text(queue)}`,
    expire: (queue, before) =>
      `UPDATE ${table}  SET \`reserved\`=0,\`reserved_at\`=NULL,\`attempts\`=\`attempts\`+1  WHERE  \`queue\` = ${text(queue)}  AND \`reserved\` = 1  AND \`reserved_at\` <= ${before}`,
    select: (queue, now) =>
      `SELECT * FROM ${table} WHERE  \`queue\` = ${text(queue)}  AND \`reserved\` = 0  AND \`available_at\` <= ${now} ORDER BY \`id\` ASC LIMIT 1  FOR UPDATE`,
    reserve: ({ id }, now) =>
      `UPDATE ${table}  SET \`reserved\`=1,\`reserved_at\`=${now}  WHERE  \`id\` = ${id}`,
    remove: (id) => `DELETE FROM ${table}    WHERE  \`id\` = ${id}`,
    newRow: (queue, payload, attempts, due, now) => ({
      queue,
      payload,
      attempts,
      reserved: 0,
      reserved_at: null,
      available_at: due,
      created_at: now,
    }),
  }),
  laravel: (table) => ({
    insert([row = {}]) {
      const names = Object.keys(row).map((name) => `\`${name}\``);
      return `insert into ${table} (${names.join(', ')}) values (${values(row).join(', ')})`;
    },
    size: (queue) => `select count(*) as aggregate from ${table} where \`queue\` = ${text(queue)}`,
    select: (queue, now, before) =>
      `select * from ${table} where \`queue\` = ${text(queue)} and ((\`reserved_at\` is null and \`available_at\` <= ${now}) or (\`reserved_at\` <= ${before})) order by \`id\` asc limit 1 FOR UPDATE SKIP LOCKED`,
    reserve: ({ id, attempts }, now) =>
      `update ${table} set \`reserved_at\` = ${now}, \`attempts\` = ${Number(attempts) + 1} where \`id\` = ${id}`,
    lock: (id) => `select * from ${table} where \`id\` = ${id} limit 1 for update`,
    remove: (id) => `delete from ${table} where \`id\` = ${id}`,
    newRow: (queue, payload, attempts, due, now) => ({
      queue,
      attempts,
      reserved_at: null,
      available_at: due,
      created_at: now,
      payload,
    }),
  }),
};
