import type { AttemptFailedContext } from './attempt-failed.js';
import { QueueError } from './errors.js';
import type { Job } from './job.js';
import { isJobClass, type JobClass, type RegisteredClass, registerClass } from './job-class.js';
import { type CheckedSettings, isJobDefinition, type JobDefinition } from './job-definition.js';
import { type Logger, withFields } from './logger.js';
import { assertNoObjectJob } from './object-job.js';
import type { NameRule } from './php-names.js';
import { RuledNames } from './ruled-names.js';
import { shown } from './shown.js';

/** What a worker needs of a job, whichever way it was written. */
export interface Handler {
  readonly settings: CheckedSettings;
  /** Answers the data to run with, or throws `E_INPUT_INVALID`. Absent where the job has no schema. */
  checkData?(data: unknown): unknown;
  run(job: Job, data: unknown, log: Logger): unknown;
  /** Absent where the job does not ask for it. */
  attemptFailed?(job: Job, about: Omit<AttemptFailedContext<unknown>, 'job'>): unknown;
  /** Absent where the job has no `failed` hook. */
  failed?(job: Job, data: unknown, error: unknown): unknown;
}

/** A job as an application hands it over. */
export type JobSource = JobDefinition | JobClass;

/**
 * The jobs that this process can run, by wire name. Names from a payload are looked up here and nowhere
 * else: they never become a path, an import or a property name. One that is not registered as it stands means what
 * the rule for names makes of it, where there is one.
 */
export class Registry {
  readonly #definitions = new Map<string, { definition: JobDefinition; handler: Handler }>();
  readonly #classes = new Map<string, RegisteredClass>();
  readonly #namesOfClasses = new Map<JobClass, string>();
  readonly #ruled: RuledNames | undefined;

  /** @param onError told what the rule threw, or that it answered no name. */
  constructor(rule?: NameRule, onError: (error: unknown, wireName: string) => void = () => {}) {
    const isKnown = (name: string) => this.#exact(name) !== undefined;
    this.#ruled = rule && new RuledNames(rule, isKnown, onError);
  }

  /** Wire names, sorted. */
  get names(): string[] {
    return [...this.#definitions.keys(), ...this.#classes.keys()].sort();
  }

  /**
   * Adds a job. Adding the same one again changes nothing.
   *
   * @param registeredAs the name for a class that has no static `jobName`.
   * @throws QueueError `E_JOB_DUPLICATE` when another job has the name; `E_JOB_NAME`.
   */
  add(source: JobSource, registeredAs?: string): void {
    this.#ruled?.forget();
    if (isJobDefinition(source)) {
      if (this.#definitions.get(source.name)?.definition === source) return;
      this.#assertFree(source.name);
      this.#definitions.set(source.name, { definition: source, handler: definitionHandler(source) });
    } else if (isJobClass(source)) {
      if (registeredAs === undefined && source.jobName === undefined) {
        throw new QueueError('E_JOB_NAME', 'a job class has no wire name', {
          fix: "Give it `static jobName = 'Dismiss'`, or name all jobs: jobs: { Dismiss, sendMail }.",
        });
      }
      const entry = registerClass(source, registeredAs ?? '');
      if (this.#classes.get(entry.name)?.class === source) return;
      this.#assertFree(entry.name);
      this.#classes.set(entry.name, entry);
      this.#namesOfClasses.set(source, entry.name);
    } else {
      throw new QueueError(
        'E_CONFIG',
        `${registeredAs ?? shown(source)} is neither a defineJob() nor a class with fire()`,
        {
          fix: 'List jobs as jobs: [sendMail], or by name as jobs: { sendMail, Dismiss }.',
        },
      );
    }
  }

  /** The wire name of a registered class. */
  nameOf(jobClass: JobClass): string | undefined {
    return this.#namesOfClasses.get(jobClass) ?? jobClass.jobName;
  }

  /** The settings of the job of a wire name, or undefined where no such job is registered. */
  settings(wireName: string): CheckedSettings | undefined {
    const [name = ''] = this.#meant(wireName).split('@');
    return (this.definition(wireName) ?? this.#classes.get(name))?.settings;
  }

  /** The definition of a wire name, or undefined where it is a class or nothing. */
  definition(wireName: string): JobDefinition | undefined {
    return this.#definitions.get(this.#meant(wireName))?.definition;
  }

  /** The handler for a wire name (`mail.send`, `Dismiss`, `Dismiss@task1`), or undefined. */
  find(wireName: string): Handler | undefined {
    const exact = this.#exact(wireName);
    if (exact || !this.#ruled) return exact;
    const meant = this.#ruled.meantBy(wireName);
    return meant === undefined ? undefined : this.#exact(meant);
  }

  /** The registered name, with its method, that a wire name means; itself where it means none. */
  #meant(wireName: string): string {
    if (!this.#ruled || this.#exact(wireName)) return wireName;
    return this.#ruled.meantBy(wireName) ?? wireName;
  }

  #exact(wireName: string): Handler | undefined {
    const definition = this.#definitions.get(wireName);
    if (definition) return definition.handler;
    const [name = '', method = 'fire'] = wireName.split('@');
    const entry = this.#classes.get(name);
    return entry?.methods.has(method) ? classHandler(entry.class, entry.settings, method) : undefined;
  }

  #assertFree(name: string): void {
    assertNoObjectJob(name);
    if (this.#definitions.has(name) || this.#classes.has(name)) {
      throw new QueueError('E_JOB_DUPLICATE', `two jobs have the name ${name}`, {
        fix: 'Give one of them another name; jobs already stored keep the name that they were pushed with.',
      });
    }
  }
}

function definitionHandler(definition: JobDefinition): Handler {
  return {
    settings: definition.settings,
    ...(definition.input !== undefined && { checkData: (data: unknown) => validate(definition, data) }),
    run: (job, data, log) =>
      definition.handle({
        data,
        job,
        // Made when they are asked for: most handlers never do.
        get signal() {
          return job.signal;
        },
        get log() {
          return withFields(log, job.fields);
        },
      }),
    ...(definition.attemptFailed && {
      attemptFailed: (job: Job, about: Omit<AttemptFailedContext<unknown>, 'job'>) =>
        definition.attemptFailed?.({ ...about, job }),
    }),
    ...(definition.failed && {
      failed: (job: Job, data: unknown, error: unknown) => definition.failed?.({ data, error, job }),
    }),
  };
}

/** A handler for one attempt: the instance is made when it is first needed, and serves this attempt only. */
function classHandler(jobClass: JobClass, settings: CheckedSettings, method: string): Handler {
  let made: InstanceType<JobClass> | undefined;
  const instance = () => {
    made ??= new jobClass();
    return made;
  };
  return {
    settings,
    run: (job, data) => instance()[method](job, data),
    ...(typeof jobClass.prototype.failed === 'function' && {
      failed: (_job: Job, data: unknown, error: unknown) => instance().failed(data, error),
    }),
  };
}

/**
 * The data as the job's schema gives it back, or the data itself where there is no schema.
 *
 * @throws QueueError `E_INPUT_INVALID` listing each issue with its path.
 */
export async function validate(
  definition: JobDefinition<never, never> | JobDefinition,
  data: unknown,
): Promise<unknown> {
  if (definition.input === undefined) return data;
  const result = await definition.input['~standard'].validate(data);
  if (result.issues === undefined) return result.value;
  const issues = result.issues.slice(0, 5).map((issue) => {
    const path = issue.path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return path ? `${path}: ${issue.message}` : issue.message;
  });
  throw new QueueError('E_INPUT_INVALID', `data of job ${definition.name}: ${issues.join('; ')}`);
}
