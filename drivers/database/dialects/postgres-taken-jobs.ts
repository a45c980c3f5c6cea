import type { ReservedJob } from '../../../src/index.js';

/**
 * What a statement answers that takes jobs. First of all of them, their columns as one text each, or nulls where there
 * is no job: a value by itself takes the client more objects than it takes characters. Then the id and payload of each
 * that is long.
 */
export type TakenRow =
  | readonly [numbers: string | null, ids: string | null, payloads: string | null, more: string | null]
  | readonly [handle: string, id: null, payload: string, more: null];

/**
 * From how many bytes on a payload comes by itself: as soon as it is sent instead of with the last, and without the
 * others, all of which stay in memory for as long as one of them does.
 */
const longBytes = 1024;

/** How many numbers there are of each job. */
const numbersOfJob = 5;

/** Stands before the stem of the tokens; together they stand in no text that was written before the stem was made. */
const separatorStart = '\x1f';

/**
 * The query that answers of the jobs in `taken`, with their id, job_id, queue, payload, attempts, exceptions and due_at.
 *
 * @param queues the parameter with the queues.
 * @param stem the parameter with what their tokens begin with.
 * @param more what else the first row shall say.
 */
export function answerOfTaken(queues: string, stem: string, more = 'NULL'): string {
  const separator = `('${separatorStart}' || ${stem})`;
  const rank = `array_position(${queues}, queue::text) - 1`;
  const isLong = `octet_length(payload) >= ${longBytes}`;
  return `
SELECT string_agg(concat_ws(' ', id, attempts, exceptions, due_at, ${rank}), ' ') AS numbers,
  string_agg(job_id, ${separator}) AS ids,
  string_agg(CASE WHEN ${isLong} THEN '' ELSE payload END, ${separator}) AS payloads,
  ${more} AS more
FROM taken
UNION ALL
SELECT id::text, NULL, payload, NULL FROM taken WHERE ${isLong}`;
}

/**
 * The jobs that the rows stand for, in order: RETURNING promises none.
 *
 * @param rows are taken out: their array, which V8 may have put into old space while they came, would have its
 * collections of the young generation keep all payloads, and copy them there, long after their jobs are done.
 */
export function takenJobs(rows: TakenRow[], queues: readonly string[], stem: string): ReservedJob[] {
  const [first, ...long] = rows.splice(0);
  if (!first?.[0] || first[1] === null || first[2] === null) return [];
  const numbers = first[0].split(' ');
  const separator = separatorStart + stem;
  const payloads = first[2].split(separator);
  const longOnes = new Map(long.map(([handle, , payload]) => [handle, payload]));
  const taken = first[1].split(separator).map((id, index) => {
    const at = index * numbersOfJob;
    const handle = numbers[at] as string;
    const rank = Number(numbers[at + 4]);
    const queue = queues[rank] as string;
    const job: ReservedJob = {
      id,
      queue,
      body: longOnes.get(handle) ?? (payloads[index] as string),
      attempts: Number(numbers[at + 1]),
      exceptions: Number(numbers[at + 2]),
      lease: { queue, token: `${stem}:${handle}`, handle },
    };
    return { job, rank, dueAt: Number(numbers[at + 3]), place: Number(handle) };
  });
  taken.sort((a, b) => a.rank - b.rank || a.dueAt - b.dueAt || a.place - b.place);
  return taken.map(({ job }) => job);
}
