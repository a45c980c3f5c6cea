import { describe, expect, it } from 'vitest';
import { type TakenRow, takenJobs } from '../../drivers/database/dialects/postgres-taken-jobs.js';

describe('what PostgreSQL answers of the jobs that it has taken', () => {
  const long = 'x'.repeat(2000);
  const rows = (): TakenRow[] => [
    ['8 1 0 200 0 7 3 2 100 0', 'second\x1fstemfirst', '\x1fstemshort', null],
    ['8', null, long, null],
  ];

  it('is read in the order in which they are due, with long payloads from rows of their own', () => {
    const jobs = takenJobs(rows(), ['mail'], 'stem');
    expect(jobs).toEqual([
      {
        id: 'first',
        queue: 'mail',
        body: 'short',
        attempts: 3,
        exceptions: 2,
        lease: { queue: 'mail', token: 'stem:7', handle: '7' },
      },
      {
        id: 'second',
        queue: 'mail',
        body: long,
        attempts: 1,
        exceptions: 0,
        lease: { queue: 'mail', token: 'stem:8', handle: '8' },
      },
    ]);
  });

  it('leaves no payload in the rows, which are held for longer than their jobs', () => {
    const answered = rows();
    takenJobs(answered, ['mail'], 'stem');
    expect(answered).toEqual([]);
  });

  it('is nothing where there was no job', () => {
    expect(takenJobs([[null, null, null, null]], ['mail'], 'stem')).toEqual([]);
  });
});
