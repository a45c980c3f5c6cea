import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of a ledger: a handler that started or finished a job. */
export interface LedgerLine {
  readonly event: 'started' | 'finished';
  readonly id: string;
  readonly attempts: number;
  readonly pid: number;
}

/**
 * The source of a job file whose handlers write what they do, each process to a file of its own, one
 * synchronous append per line: what is on file happened, whatever became of the process.
 */
export const ledgerJobFile = `
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from 'drover';

const write = (event, job) => appendFileSync(
  \`ledger/\${process.pid}.ndjson\`,
  JSON.stringify({ event, id: job.id, attempts: job.attempts(), pid: process.pid }) + '\\n',
);

export const record = defineJob({
  name: 'record',
  async handle({ job, data }) {
    write('started', job);
    if (data.sleepMs) await sleep(data.sleepMs);
    write('finished', job);
  },
});
`;

/** All lines of a ledger folder; those of one process in the order written, but for one that it is about to write. */
export function readLedger(directory: string): LedgerLine[] {
  return readdirSync(directory).flatMap((file) =>
    readFileSync(join(directory, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LedgerLine),
  );
}

/** How often each id was started. */
export function startsById(lines: readonly LedgerLine[]): Map<string, LedgerLine[]> {
  const starts = new Map<string, LedgerLine[]>();
  for (const line of lines) {
    if (line.event !== 'started') continue;
    const list = starts.get(line.id);
    if (list) list.push(line);
    else starts.set(line.id, [line]);
  }
  return starts;
}
