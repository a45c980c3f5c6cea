import { anyFault, type Causes } from '../causes.js';
import type { JobStory, Run } from '../ledger.js';
import type { Evidence, Invariant } from '../verdict.js';
import { told } from './repeats.js';

interface Started {
  readonly run: Run;
  readonly acceptedMs: number;
}

/**
 * 7: a queue with one producer and one slot runs in the order of its pushes, apart from what is delivered again; and no job
 * of a later queue starts while one of an earlier queue waits.
 */
export const inOrder: Invariant = {
  invariant: 7,
  name: 'order',
  check(evidence) {
    const { rules } = evidence;
    const figures = { inOrder: 0, ofLaterQueues: 0 };
    const violations: string[] = [];
    for (const queue of rules.inOrder ?? []) {
      const jobs = firstStarts(evidence, [queue]);
      figures.inOrder += jobs.length;
      violations.push(...outOfOrder(jobs, evidence));
    }
    const [first, ...later] = rules.priorities ?? [];
    if (first !== undefined) {
      const low = firstStarts(evidence, later);
      figures.ofLaterQueues = low.length;
      violations.push(...overtaken(firstStarts(evidence, [first]), low, evidence));
    }
    return { violations, figures, observed: figures.inOrder + figures.ofLaterQueues > 0 };
  },
};

/** First starts of jobs that were due at once, by the time at which their push was answered. */
function firstStarts({ ledger, causes }: Evidence, queues: readonly string[]): Started[] {
  const started: Started[] = [];
  for (const job of ledger.jobs.values()) {
    const [push] = job.pushes;
    const [run] = job.runs;
    if (!push || !run || !queues.includes(push.queue) || push.delayMs > 0 || push.outcome !== 'ok') continue;
    if (run.attempt === 1 && isUntouched(job, run, push.fromMs, causes))
      started.push({ run, acceptedMs: push.toMs });
  }
  return started.sort((a, b) => a.acceptedMs - b.acceptedMs);
}

/** True where nobody can have had the job before who then died or was cut off. */
function isUntouched(job: JobStory, run: Run, fromMs: number, causes: Causes): boolean {
  const faults = causes.anyBetween(fromMs, run.startedMs, anyFault);
  return job.pushes.length === 1 && faults.length === 0;
}

function outOfOrder(jobs: readonly Started[], { causes }: Evidence): string[] {
  return jobs.flatMap(({ run }, index) => {
    const before = jobs[index - 1]?.run;
    if (!before || before.startedMs <= run.startedMs) return [];
    const faults = causes.anyBetween(run.startedMs, before.startedMs, ['stop', 'kill', 'death']);
    return faults.length > 0
      ? []
      : [`${told(run)} started before ${told(before)}, which was pushed before it`];
  });
}

function overtaken(high: readonly Started[], low: readonly Started[], { rules, causes }: Evidence): string[] {
  const marginMs = rules.pollMs + rules.slackMs;
  const starts = low.map(({ run }) => run.startedMs).sort((a, b) => a - b);
  return high.flatMap(({ run, acceptedMs }) => {
    const fromMs = acceptedMs + marginMs;
    const toMs = run.startedMs - marginMs;
    const start = starts.find((one) => one >= fromMs);
    if (start === undefined || start > toMs) return [];
    const faults = causes.anyBetween(acceptedMs, run.startedMs, ['stop', 'outage', 'network', 'failover']);
    return faults.length > 0 ? [] : [`${told(run)} waited while jobs of later queues were started`];
  });
}
