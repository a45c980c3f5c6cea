import type { FailedJob, Retried } from '../../src/index.js';
import { usage } from '../args.js';
import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { failedFilter, findFailed, refuseFilter, tellUnknown } from '../failed-ids.js';
import { createOutput, type Output } from '../output.js';
import { plain } from '../plain-text.js';
import { Progress } from '../progress.js';

/** `queue:retry`: failed jobs go back into their queues. */
export const command: Command = {
  flags: {
    queue: { kind: 'text', says: "With 'all': only those of a queue" },
    name: { kind: 'text', says: "With 'all': only those of a job" },
    since: {
      kind: 'text',
      says: "With 'all': only those that failed since: 30m, 2h, 1d, or a time in ISO 8601",
    },
    until: { kind: 'text', says: "With 'all': only those that failed until then, as in --since" },
  },
  positionals: { id: "uuids or job ids, or 'all'" },
  examples: [
    ['drover queue:retry 0192f3a4-5b6c-4d7e-8f90-a1b2c3d4e5f6', 'One'],
    ['drover queue:retry all --name mail.send', 'All of a job'],
  ],
  exits: [[exitCodes.error, 'an error, or no failed job has one of the ids']],
  notes:
    'A retried job starts over: due now, no attempt spent. Where a job of the same id is live, it is ' +
    'left alone (already-there).',
  run: (args, io) => {
    const ids = args.words('id');
    const all = ids.includes('all');
    if (all && ids.length > 1) throw usage("'all' and ids exclude each other");
    if (!all) refuseFilter(args);
    return withContext(args, io, { jobs: false }, async ({ queue }) => {
      const output = createOutput(io, args.isOn('json'));
      const counts = new Counts(output, new Progress(io, 'looked at'), queue.connectionName);
      const { jobs, unknown } = all ? { jobs: [], unknown: [] } : await findFailed(queue, ids);
      const outcomes = all
        ? queue.failed.retryAll(failedFilter(args, queue))
        : await queue.failed.retry(jobs);
      for await (const one of outcomes) counts.add(one);
      if (output.json) for (const id of unknown) output.object(outcome(id, null));
      else tellUnknown(unknown, io);
      counts.print();
      return unknown.length > 0 ? exitCodes.error : exitCodes.done;
    });
  },
};

/** Counts outcomes, and tells of each job where that is wanted. */
class Counts {
  readonly #output: Output;
  readonly #progress: Progress;
  readonly #connection: string;
  /** How many were retried, by connection. */
  readonly #retriedOn = new Map<string, number>();
  readonly #counts = { retried: 0, 'already-there': 0, 'not-found': 0 };

  /** @param connection the one that the command works on, which goes without saying. */
  constructor(output: Output, progress: Progress, connection: string) {
    this.#output = output;
    this.#progress = progress;
    this.#connection = connection;
  }

  add(one: Retried): void {
    this.#counts[one.outcome] += 1;
    const { connection } = one.job;
    if (one.outcome === 'retried')
      this.#retriedOn.set(connection, (this.#retriedOn.get(connection) ?? 0) + 1);
    if (this.#output.json) this.#output.object(outcome(one.job.uuid, one));
    else this.#progress.step();
    if (!this.#output.json && one.outcome === 'already-there') {
      this.#progress.hide();
      this.#output.line(
        `${plain(one.job.uuid)}: a job of its id is in queue ${plain(one.job.queue)} already`,
      );
    }
  }

  print(): void {
    this.#progress.hide();
    if (this.#output.json) return;
    const { retried, 'already-there': there, 'not-found': gone } = this.#counts;
    const parts = [`${retried} retried${this.#placesText()}`];
    if (there > 0) parts.push(`${there} already there`);
    if (gone > 0) parts.push(`${gone} gone meanwhile`);
    this.#output.line(parts.join(', '));
  }

  #placesText(): string {
    if ([...this.#retriedOn.keys()].every((name) => name === this.#connection)) return '';
    return ` (${[...this.#retriedOn].map(([name, count]) => `${count} ${plain(name)}`).join(', ')})`;
  }
}

function outcome(
  uuid: string,
  retried: { readonly job: FailedJob; readonly outcome: string } | null,
): object {
  return {
    uuid,
    id: retried?.job.jobId ?? null,
    queue: retried?.job.queue ?? null,
    connection: retried?.job.connection ?? null,
    outcome: retried?.outcome ?? 'not-found',
  };
}
