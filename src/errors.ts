/** Every code that a {@link QueueError} can carry; docs/errors.md says what each means and how to mend it. */
export type ErrorCode =
  | 'E_BUFFER_FULL'
  | 'E_CONFIG'
  | 'E_CONNECTION_UNKNOWN'
  | 'E_CRASHED'
  | 'E_DRIVER_MISSING'
  | 'E_DURATION'
  | 'E_FAILED_STORE_MISSING'
  | 'E_INPUT_INVALID'
  | 'E_INLINE_CONNECTION'
  | 'E_JOB_ALREADY_FIRED'
  | 'E_JOB_ALREADY_SETTLED'
  | 'E_JOB_DUPLICATE'
  | 'E_JOB_FILE'
  | 'E_JOB_NAME'
  | 'E_JOB_NOT_LOADED'
  | 'E_JOB_UNKNOWN'
  | 'E_LEASE_LOST'
  | 'E_LEASE_TOO_SHORT'
  | 'E_MAX_TRIES'
  | 'E_PAYLOAD_INVALID'
  | 'E_PAYLOAD_TOO_LARGE'
  | 'E_QUEUE_CLOSED'
  | 'E_QUEUE_NAME'
  | 'E_RETRY_UNTIL'
  | 'E_STOPPED'
  | 'E_STORE_CORRUPT'
  | 'E_STORE_FULL'
  | 'E_STORE_READONLY'
  | 'E_STORE_SCHEMA'
  | 'E_STORE_UNAVAILABLE'
  | 'E_TIMEOUT'
  | 'E_UNSUPPORTED'
  | 'E_USAGE';

/** Details of a {@link QueueError} beyond its message. */
export interface QueueErrorOptions {
  /** What to do about it, as one sentence; shown after the message by the CLI. */
  readonly fix?: string;
  readonly cause?: unknown;
  /**
   * True where the same call may succeed later without anybody changing anything
   * (a server that restarts, a busy file). Default false.
   */
  readonly transient?: boolean;
  /** True where the call may have been carried out all the same: its reply was lost. Default false. */
  readonly ambiguous?: boolean;
  /** Jobs that an ambiguous push was about, so that the caller can look for them. Default none. */
  readonly ids?: readonly string[];
}

/**
 * The one class of error that drover throws on purpose.
 *
 * `code` is stable across versions and safe to switch on. `message` names the thing at fault and
 * `fix`, where there is one, names the remedy.
 */
export class QueueError extends Error {
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly transient: boolean;
  readonly ambiguous: boolean;
  readonly ids: readonly string[];

  constructor(code: ErrorCode, message: string, options: QueueErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'QueueError';
    this.code = code;
    this.fix = options.fix;
    this.transient = options.transient ?? false;
    this.ambiguous = options.ambiguous ?? false;
    this.ids = options.ids ?? [];
  }
}

/**
 * True for a {@link QueueError}, also one made by another copy of drover in the same process
 * (job files are sometimes loaded beside the application's own copy).
 */
export function isQueueError(error: unknown, code?: ErrorCode): error is QueueError {
  try {
    if (!(error instanceof Error) || error.name !== 'QueueError' || !('code' in error)) return false;
    return code === undefined || error.code === code;
  } catch {
    return false; // handlers throw all sorts of things, also errors whose getters throw
  }
}
