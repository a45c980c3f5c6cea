export type { Amendment, AttemptFailedContext } from './attempt-failed.js';
export { type Backoff, type ExponentialBackoff, exponential } from './backoff.js';
export type { BufferedJob, BufferedQueue, BufferOptions } from './buffered-queue.js';
export { type Clock, systemClock } from './clock.js';
export {
  type ConnectionOptions,
  connectionOptionNames,
  connectionSettings,
} from './connection-settings.js';
export type {
  ConnectionSettings,
  Connector,
  Driver,
  DriverContext,
  Failure,
  HistoryKept,
  Lease,
  NewJob,
  PushOutcome,
  QueueSize,
  Release,
  ReservedJob,
} from './connector.js';
export type { Halt } from './controls.js';
export { type DeadlineOptions, Deadlines } from './deadlines.js';
export type { DiagnoseOptions } from './diagnose.js';
export { type Duration, type DurationText, durationToMs, type Seconds } from './duration.js';
export { type ErrorCode, isQueueError, QueueError, type QueueErrorOptions } from './errors.js';
export type {
  BusyEvent,
  EventError,
  EventName,
  EventOf,
  JobEndEvent,
  JobEvent,
  PushedEvent,
  QueueEvent,
  QueueEvents,
  WorkerEvent,
  WorkerFields,
} from './events.js';
export type {
  ErrorText,
  FailedJob,
  FailedJobFilter,
  FailedJobStore,
  FailedReason,
  RetryOutcome,
} from './failed-jobs.js';
export type { FailedJobs, Retried } from './failed-jobs-api.js';
export { clockFinding, encryptionFinding, type Finding, type SocketFacts } from './finding.js';
export type { TimeSummary } from './histogram.js';
export type { HistoryOptions } from './history-settings.js';
export {
  type EndedJob,
  entryIdFrom,
  type HistoryBounds,
  type HistoryFilter,
  type HistoryStore,
  mostPruned,
  ProcessHistory,
  passes,
} from './history-store.js';
export type { Job } from './job.js';
export { isJobClass, type JobClass } from './job-class.js';
export {
  type Ack,
  defineJob,
  type FailedContext,
  isJobDefinition,
  type JobContext,
  type JobDefinition,
  type JobFailure,
  type JobSettings,
} from './job-definition.js';
export type { FoundJob, ListOptions } from './job-listing.js';
export type { ListedJob, ListedState } from './job-views.js';
export { decodeLaravel, laravelFields } from './laravel-payload.js';
export { listedStates } from './listed-states.js';
export type { LiveJob, LiveState, Peek } from './live-jobs.js';
export { type JobFields, type Logger, silentLogger } from './logger.js';
export type { MonitoredQueue, MonitorOptions, QueueReading } from './monitor.js';
export { monotonicMs } from './monotonic.js';
export { checkJobId, checkJobName, checkQueueName } from './names.js';
export { checkOptionNames } from './option-names.js';
export { PatientTimer, type PatientTimerOptions } from './patient-timer.js';
export { isPaused, type PausedQueue, type Pauses, pausedKey } from './pauses.js';
export { type Decoded, type Payload, payloadFrom } from './payload.js';
export {
  decodePhpJson,
  encodePhpJson,
  type PhpJsonOptions,
  type PhpValue,
  recodePhpJson,
} from './php-json.js';
export { type NameRule, type PhpNamesOptions, phpNames } from './php-names.js';
export type { Pushable } from './prepare-push.js';
export type { PushOptions } from './push.js';
export type { PushEntry } from './pusher.js';
export { createQueue, type Queue } from './queue.js';
export { type MetricsAddress, type QueueConfig, queueConfigKeys } from './queue-config.js';
export { jobOfQueue, queueOfJob } from './queue-jobs.js';
export { randomText } from './random.js';
export type { JobSource } from './registry.js';
export { isRestartAsked, restartKey, type SignalStore, signalRestart } from './restart-signal.js';
export { RetryAfterError, UnrecoverableError } from './retry-errors.js';
export type { JobStats, QueueStats, StatsCounts, StatsOptions, StatsPoint } from './statistics-report.js';
export {
  ProcessStatistics,
  type StatisticsKey,
  type StatisticsLevel,
  type StatisticsRange,
  type StatisticsRow,
  type StatisticsStore,
} from './statistics-store.js';
export type { StopReason } from './stop-conditions.js';
export type {
  PushedJobs,
  PushMessage,
  PushTrace,
  TraceContext,
  TracedRun,
  Tracer,
} from './tracing.js';
export { WaitingBeats } from './waiting-beats.js';
export { type NotedFailure, nativeFormat, type WireFormat } from './wire-format.js';
export { waitAtMost, within } from './within.js';
export type { Worker } from './worker.js';
export { type WorkerGroup, workerGroupKeys } from './worker-group.js';
export type { RunningJob, WorkerInfo, WorkerState } from './worker-info.js';
export { checkWorkerOptions, type WorkerOptions, workerOptionNames } from './worker-options.js';
export type { Beat, BeatEntry, WorkerRegistry } from './worker-registry.js';
