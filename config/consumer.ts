import { checkQueueName, type JobContext, type JobSettings, QueueError } from '../src/index.js';

/** What a consumer's `consume` gets beside the data. */
export type ConsumeContext = Omit<JobContext<unknown>, 'data'>;

/** What `onConsumeFailure` may see and change of a package. */
export interface ConsumedPackage {
  readonly id: string;
  /** When it was pushed, in seconds since the epoch; absent where the connection does not know. */
  readonly time?: number;
  /** Seconds. */
  readonly delay?: number;
  /** Attempts that failed before this one. */
  readonly attempts: number;
  readonly queue: string;
  readonly data: unknown;
  /** How often the package is tried again after its first run. */
  readonly max_attempts: number;
  /** The message of the error. */
  readonly error: string;
}

/** A class in the style of webman's consumers: one queue, one class. One instance serves all packages of a process. */
export interface Consumer {
  /** The queue to consume, here or as a static property. */
  readonly queue?: string;
  /** The connection, here or as a static property. Default: that of the config, or of the group. */
  readonly connection?: string;
  consume(data: unknown, context: ConsumeContext): unknown;
  /**
   * Called with each error that leaves the package to be tried again or given up, before that is decided; what it
   * returns of `data`, `attempts`, `max_attempts` and `error` goes on with the package.
   */
  onConsumeFailure?(error: unknown, failed: ConsumedPackage): unknown;
}

/** A consumer that was found, and what it says of itself. */
export interface FoundConsumer {
  readonly consumer: Consumer;
  readonly queue: string;
  /** Undefined where it names none. */
  readonly connection: string | undefined;
  /** What drover's jobs may say of themselves, as static properties. */
  readonly settings: Pick<JobSettings, 'tries' | 'backoff' | 'timeout'>;
}

type ConsumerClass = (new () => Consumer) & Readonly<Record<string, unknown>>;

/** True for a class with a method `consume`. */
export function isConsumerClass(value: unknown): value is ConsumerClass {
  return (
    typeof value === 'function' &&
    typeof value.prototype === 'object' &&
    value.prototype !== null &&
    typeof value.prototype.consume === 'function'
  );
}

/**
 * Makes the one instance of a class and reads what it consumes.
 *
 * @throws QueueError `E_JOB_FILE` for a class that names no queue, `E_QUEUE_NAME`, and what its constructor throws.
 */
export function readConsumer(made: ConsumerClass): FoundConsumer {
  const consumer = new made();
  const { queue = consumer.queue, connection = consumer.connection, tries, backoff, timeout } = made;
  if (queue === undefined) {
    throw new QueueError('E_JOB_FILE', 'its consumer names no queue', {
      fix: "Write queue = 'send-mail' into the class.",
    });
  }
  if (connection !== undefined && typeof connection !== 'string') {
    throw new QueueError('E_JOB_FILE', 'the connection of its consumer is no text', {
      fix: "Write connection = 'default'.",
    });
  }
  const settings = Object.fromEntries(
    Object.entries({ tries, backoff, timeout }).filter(([, value]) => value !== undefined),
  );
  return { consumer, queue: checkQueueName(queue), connection, settings };
}
