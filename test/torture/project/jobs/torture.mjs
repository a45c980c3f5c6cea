import { defineJob } from 'drover';
import { run } from '../kinds.mjs';
import { hashOf, settings, write } from '../ledger.mjs';

const { leaseMs, timeoutMs, tries } = settings;

export const torture = defineJob({
  name: 'torture',
  backoff: [0, 1],
  async handle({ data, job, signal }) {
    const about = { id: job.id, pid: process.pid };
    const attempt = job.attempts();
    write({
      ev: 'started',
      ...about,
      queue: job.queue,
      parent: process.ppid,
      attempt,
      hash: hashOf(data),
      kind: data.kind,
    });
    signal.addEventListener('abort', () => write({ ev: 'aborted', ...about }), { once: true });
    let isReleased = false;
    await run(data.kind, job.id, attempt, {
      signal,
      leaseMs,
      timeoutMs,
      threw: (which) => write({ ev: 'threw', ...about, which, isLast: attempt >= tries }),
      // Before it is: another process may have it by the time that this one, which a job blocks, learns of it.
      release: (seconds) => {
        isReleased = true;
        write({ ev: 'released', ...about });
        return job.release(seconds);
      },
    });
    if (!isReleased) write({ ev: 'finished', ...about });
  },
});
