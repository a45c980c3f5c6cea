import { QueueError } from './errors.js';
import type { JobClass } from './job-class.js';
import { isJobDefinition, type JobDefinition } from './job-definition.js';
import { checkJobName, checkWireName } from './names.js';
import { assertNoObjectJob } from './object-job.js';
import {
  assertPushOptions,
  draftJob,
  type JobDraft,
  jobOf,
  type PreparedJob,
  type PushOptions,
} from './push.js';
import type { QueueCore } from './queue-core.js';
import { type Registry, validate } from './registry.js';
import type { TraceContext } from './tracing.js';

/** What can be pushed: a definition (data is typed), a registered class, or a wire name. */
export type Pushable<Input = unknown> = JobDefinition<Input, unknown> | JobClass | string;

const defaultMaxPayloadBytes = 1_048_576;

/** What the pushes of one job with the same options share. */
export interface PushPlan {
  readonly connection: string;
  readonly draft: JobDraft;
  /** Whose schema checks the data, where the job has one. */
  readonly checkedBy: JobDefinition | undefined;
}

/**
 * Checks a push, but for its data, against the job's definition and the config; no store is touched.
 *
 * @param connectionName where the options name no other.
 * @param nowMs from when on delays count.
 * @param trace of the push, to be carried in the payload.
 * @throws QueueError for a job or option that cannot be.
 */
export function planPush(
  { config, connections, registry }: QueueCore,
  connectionName: string,
  job: Pushable,
  options: PushOptions,
  nowMs: number,
  trace?: TraceContext,
): PushPlan {
  const name = wireNameOf(job, registry);
  assertPushOptions(options);
  assertNoObjectJob(name);
  const definition = isJobDefinition(job) ? job : registry.definition(name);
  const own = definition ? definition.settings : registry.settings(name);
  const connection = options.connection ?? connectionName;
  const { settings, wire } = connections.driver(connection);
  const draft = draftJob(name, options, {
    queue: own?.queue ?? wire?.queueOf?.(name) ?? settings.queue,
    retryUntilMs: own?.retryUntilMs,
    maxPayloadBytes: config.maxPayloadBytes ?? defaultMaxPayloadBytes,
    nowMs,
    trace,
    wire,
  });
  return { connection, draft, checkedBy: definition?.input && definition };
}

/**
 * Checks and encodes the data of one push: at once, unless a schema has to be asked.
 *
 * @param nowMs when it is pushed.
 * @throws QueueError for data that cannot be.
 */
export function jobOfPlan(
  { draft, checkedBy }: PushPlan,
  data: unknown,
  nowMs: number,
): PreparedJob | Promise<PreparedJob> {
  if (checkedBy === undefined) return jobOf(draft, data, nowMs);
  return validate(checkedBy, data).then(() => jobOf(draft, data, nowMs));
}

/** A definition that is pushed is one that this process can run: a `sync` connection needs no `jobs`. */
function wireNameOf(job: Pushable, registry: Registry): string {
  if (typeof job === 'string') return checkWireName(job);
  if (isJobDefinition(job)) {
    if (!registry.find(job.name)) registry.add(job);
    return job.name;
  }
  const name = typeof job === 'function' ? registry.nameOf(job) : undefined;
  if (name !== undefined) return checkJobName(name);
  throw new QueueError(
    'E_JOB_UNKNOWN',
    'the job pushed is neither a definition, a registered class nor a name',
    {
      fix: 'Register the class in `jobs` of the config, or push its wire name.',
    },
  );
}
