import type { Output } from './output.js';

/** Prints statements as a script, or each as an object. Answers the exit code. */
export function printSql(output: Output, statements: readonly string[]): number {
  if (output.json) for (const sql of statements) output.object({ sql });
  else if (statements.length === 0) output.line('-- nothing to do: the schema is current');
  else for (const sql of statements) output.line(`${sql};`);
  return 0;
}
