import type { ServerSandbox } from './server-sandbox.js';

/** How many jobs of each kind a populated table has. */
export interface Population {
  /** Jobs of queue `mail` that are due, the oldest first. */
  readonly due: number;
  /** Jobs of queue `mail` that are due in the far future. */
  readonly delayed: number;
  /** Due jobs of 50 other queues. */
  readonly others: number;
}

/** Fills a table of jobs with one statement per kind, pushed before all that is pushed later. */
export async function populate(sandbox: ServerSandbox, counts: Population, table = 'jobs'): Promise<void> {
  const columns = 'job_id, queue, attempts, available_at, created_at, due_at, payload';
  const insert = async (count: number, prefix: string, queue: string, at: string): Promise<void> => {
    if (count === 0) return;
    const [source, id] =
      sandbox.kind === 'mariadb'
        ? [`seq_1_to_${count}`, `CONCAT('${prefix}', seq)`]
        : [`generate_series(1, ${count}) AS seq`, `'${prefix}' || seq`];
    await sandbox.sql(
      `INSERT INTO ${table} (${columns}) SELECT ${id}, ${queue}, 0, ${at}, 1, ${at}, '{}' FROM ${source}`,
    );
  };
  const other = sandbox.kind === 'mariadb' ? `CONCAT('other-', seq % 50)` : `'other-' || (seq % 50)`;
  // The delayed jobs come first, where a walk by primary key would meet all of them.
  await insert(counts.delayed, 'delayed-', `'mail'`, '4000000000000 + seq');
  await insert(counts.others, 'other-', other, '1');
  await insert(counts.due, 'due-', `'mail'`, 'seq');
}
