/** What the first job prints. */
export const marker = 'the first job has started';

/** Says on stderr that the first job has started. */
export function sayStarted(): void {
  process.stderr.write(`${marker}\n`);
}
