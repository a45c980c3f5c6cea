import { golden } from '../support/golden.js';
import type { PhpLibrary } from '../support/php-tables.js';
import type { ServerSandbox } from '../support/server-sandbox.js';

/** A row as the recording has it: texts and nulls. */
export type GoldenRow = Readonly<Record<string, string | null>>;

/** A recorded case on tables. */
export interface GoldenRows {
  readonly name: string;
  readonly unix_before: number;
  readonly result: unknown;
  readonly exception?: string;
  readonly sql: readonly string[];
  readonly rows_after: Readonly<Record<string, readonly GoldenRow[]>>;
}

/** What was recorded of one library, and the prefix of its tables. */
export interface Recording {
  readonly library: PhpLibrary;
  readonly prefix: string;
  readonly cases: readonly GoldenRows[];
}

const files = [
  ['think-3', 'tq3_', 'think-queue-3.0-database'],
  ['think-1', 'tq1_', 'think-queue-1.1.6-database'],
  ['laravel', 'lv_', 'laravel-12-database'],
] as const;

/** All that was recorded of tables. */
export const recordings: readonly Recording[] = files.map(([library, prefix, file]) => ({
  library,
  prefix,
  cases: golden<{ readonly cases: readonly GoldenRows[] }>(file).cases,
}));

/** A case's rows of the jobs' table. */
export function jobsOf({ rows_after }: GoldenRows, prefix: string): readonly GoldenRow[] {
  return rows_after[`${prefix}jobs`] ?? [];
}

/** Puts rows into a table in place of all others. @param nextId the id that the next row gets. */
export async function putRows(
  sandbox: ServerSandbox,
  table: string,
  rows: readonly GoldenRow[],
  nextId: number,
): Promise<void> {
  await sandbox.sql(`DELETE FROM ${table}`);
  for (const row of rows) {
    const columns = Object.keys(row).map((name) => `\`${name}\``);
    const values = Object.values(row).map((value) => (value === null ? 'NULL' : quoted(value)));
    await sandbox.sql(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})`);
  }
  await sandbox.sql(`ALTER TABLE ${table} AUTO_INCREMENT = ${nextId}`);
}

/** The rows of a table as the recording has them. */
export async function rowsIn(sandbox: ServerSandbox, table: string): Promise<GoldenRow[]> {
  const rows = await sandbox.sql(`SELECT * FROM ${table} ORDER BY id`);
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
    ),
  );
}

function quoted(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`;
}
