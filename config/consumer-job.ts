import {
  type Amendment,
  type AttemptFailedContext,
  defineJob,
  type JobDefinition,
  jobOfQueue,
  QueueError,
} from '../src/index.js';
import type { ConsumedPackage, Consumer, FoundConsumer } from './consumer.js';
import { isSection } from './problem.js';

/**
 * The job that a queue's consumers are. Two connections may have a queue of one name with a consumer each.
 *
 * @param found the consumer of each connection, by its name; not empty.
 */
export function consumerJob(queue: string, found: ReadonlyMap<string, FoundConsumer>): JobDefinition {
  const [{ settings }] = [...found.values()] as [FoundConsumer];
  const of = (connection: string): Consumer => {
    const one = found.get(connection);
    if (one) return one.consumer;
    throw new QueueError('E_JOB_UNKNOWN', `queue ${queue} has no consumer on connection ${connection}`);
  };
  const hasHook = [...found.values()].some(({ consumer }) => consumer.onConsumeFailure !== undefined);
  return defineJob<unknown>({
    ...settings,
    name: jobOfQueue(queue),
    queue,
    handle: ({ data, ...context }) => of(context.job.connection).consume(data, context),
    ...(hasHook && {
      attemptFailed: async (failure: AttemptFailedContext<unknown>) => {
        const failed = packageOf(queue, failure);
        const answer = await of(failure.job.connection).onConsumeFailure?.(failure.error, failed);
        return amendmentOf(answer, failed);
      },
    }),
  });
}

function packageOf(queue: string, failure: AttemptFailedContext<unknown>): ConsumedPackage {
  const { data, error, job, tries, body } = failure;
  const { time, delay } = timesIn(body);
  return {
    id: job.id,
    ...(time !== undefined && { time }),
    ...(delay !== undefined && { delay }),
    attempts: job.attempts() - 1,
    queue,
    data,
    max_attempts: tries === 0 ? Number.POSITIVE_INFINITY : tries - 1,
    error: error instanceof Error ? error.message : String(error),
  };
}

/** Where the connection's form of a job is webman's. */
function timesIn(body: string): { time?: number; delay?: number } {
  try {
    const { time, delay } = JSON.parse(body) as Record<string, unknown>;
    return { ...(typeof time === 'number' && { time }), ...(typeof delay === 'number' && { delay }) };
  } catch {
    return {};
  }
}

/** webman's rule: of what is returned these four fields count, and those that are null do not. */
function amendmentOf(answer: unknown, failed: ConsumedPackage): Amendment | undefined {
  if (!isSection(answer)) return undefined;
  const attempts = answer.attempts ?? failed.attempts;
  const most = answer.max_attempts ?? failed.max_attempts;
  const { data, error } = answer;
  return {
    attempts: Number(attempts) + 1,
    tries: most === Number.POSITIVE_INFINITY ? 0 : Number(most) + 1,
    ...(data !== undefined && data !== null && data !== failed.data && { data }),
    ...(typeof error === 'string' && error !== failed.error && { error: new Error(error) }),
  };
}
