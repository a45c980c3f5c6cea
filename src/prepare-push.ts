import { QueueError } from './errors.js';
import type { JobClass } from './job-class.js';
import { isJobDefinition, type JobDefinition } from './job-definition.js';
import { checkJobName, checkWireName } from './names.js';
import { assertNoObjectJob } from './object-job.js';
import { type PreparedJob, type PushOptions, prepareJob } from './push.js';
import type { QueueCore } from './queue-core.js';
import { type Registry, validate } from './registry.js';
import type { TraceContext } from './tracing.js';

/** What can be pushed: a definition (data is typed), a registered class, or a wire name. */
export type Pushable<Input = unknown> = JobDefinition<Input, unknown> | JobClass | string;

const defaultMaxPayloadBytes = 1_048_576;

/**
 * Checks one push against the job's definition and the config, and encodes it; no store is touched.
 *
 * @param trace of the push, to be carried in the payload.
 * @throws QueueError for a job, data or option that cannot be.
 */
export async function preparePush(
  { clock, config, connections, registry }: QueueCore,
  connectionName: string,
  job: Pushable,
  data: unknown,
  options: PushOptions,
  trace?: TraceContext,
): Promise<PreparedJob> {
  const name = wireNameOf(job, registry);
  assertNoObjectJob(name);
  const definition = isJobDefinition(job) ? job : registry.definition(name);
  if (definition?.input) await validate(definition, data);
  const own = definition ? definition.settings : registry.settings(name);
  const { settings, wire } = connections.driver(options.connection ?? connectionName);
  return prepareJob(name, data, options, {
    queue: own?.queue ?? wire?.queueOf?.(name) ?? settings.queue,
    retryUntilMs: own?.retryUntilMs,
    maxPayloadBytes: config.maxPayloadBytes ?? defaultMaxPayloadBytes,
    nowMs: clock.now(),
    trace,
    wire,
  });
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
