import type { ReservedJob } from '../../src/index.js';

/**
 * The lines of a journal that hold more than a number. Written for each job that a worker runs, so that what is text
 * on one line without a tab, as nearly all of it is, stays as it is; the rest travels as JSON.
 */

/** That a job is ours: `R`, or `Q` as JSON. */
export function reserveLine(n: number, { id, queue, attempts, lease }: ReservedJob): string {
  const { token, handle } = lease;
  const line = `R${n}\t${attempts}\t${queue}\t${token}\t${id}\t${typeof handle === 'number' ? 'n' : 's'}${handle}`;
  const isPlain =
    !line.includes('\n') && lease.queue === queue && !id.includes('\t') && !token.includes('\t');
  return isPlain ? `${line}\n` : `Q${JSON.stringify([n, attempts, queue, token, id, handle, lease.queue])}\n`;
}

/** Reads what `reserveLine` wrote. */
export function readReserveLine(line: string): readonly [n: number, reserved: ReservedJob] {
  if (line.startsWith('Q')) {
    const [n, attempts, queue, token, id, handle, laneOf] = JSON.parse(line.slice(1));
    return [n, { id, queue, body: '', attempts, lease: { queue: laneOf, token, handle } }];
  }
  const [n, attempts, queue = '', token = '', id = '', ...rest] = line.slice(1).split('\t');
  const handle = rest.join('\t');
  const lease = { queue, token, handle: handle.startsWith('n') ? Number(handle.slice(1)) : handle.slice(1) };
  return [Number(n), { id, queue, body: '', attempts: Number(attempts), lease }];
}

/** That a handler starts: `S`, and on the next line the body: `B`, or `J` as JSON. Names of jobs have no tabs. */
export function startLines(
  n: number,
  slot: number,
  atMs: number,
  timeoutMs: number,
  name: string,
  body: string,
): string {
  const bodyLine = body.includes('\n') ? `J${JSON.stringify(body)}` : `B${body}`;
  return `S${n}\t${slot}\t${atMs}\t${timeoutMs}\t${name}\n${bodyLine}\n`;
}

/** Reads the first line of `startLines`. */
export function readStartLine(line: string) {
  const [n, slot, atMs, timeoutMs, name = ''] = line.slice(1).split('\t');
  const start = { slot: Number(slot), atMs: Number(atMs), timeoutMs: Number(timeoutMs), name };
  return [Number(n), start] as const;
}
