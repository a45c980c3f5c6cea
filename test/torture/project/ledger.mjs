import { createHash } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';

/** What the torture that runs here wants: see `ProjectSettings` in test/torture/project.ts. */
export const settings = JSON.parse(readFileSync(new URL('torture.json', import.meta.url), 'utf8'));

/** Ms of the clock that all processes of this host share. */
export function nowMs() {
  return Number(process.hrtime.bigint()) / 1e6;
}

let file;

/** Appends a line to this process's ledger: what stands there happened, whatever became of the process. */
export function write(event) {
  file ??= openSync(new URL(`ledger/${process.pid}.ndjson`, import.meta.url), 'a');
  writeSync(file, `${JSON.stringify({ t: nowMs(), ...event })}\n`);
}

/** Of a job's data: the same for the same JSON. */
export function hashOf(data) {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16);
}
