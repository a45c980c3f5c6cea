import type { PlannedStep } from './dialect.js';

/**
 * The statement that notes one step as taken, for scripts. Both names are checked or our own: there is nothing
 * in them to escape.
 *
 * @param table the history table, quoted.
 * @param now the time in ms since the epoch, as an expression.
 */
export function noteOf(table: string, { name, table: taken }: PlannedStep, now: string): string {
  return `INSERT INTO ${table} (name, table_name, applied_at) VALUES ('${name}', '${taken}', ${now})`;
}
