export { type Clock, systemClock } from './clock.js';
export { type ConnectionOptions, connectionSettings } from './connection-settings.js';
export type * from './connector.js';
export { type Duration, type DurationText, durationToMs, type Seconds } from './duration.js';
export { type ErrorCode, isQueueError, QueueError, type QueueErrorOptions } from './errors.js';
export type * from './failed-jobs.js';
export { type Logger, silentLogger } from './logger.js';
export { checkJobId, checkJobName, checkQueueName } from './names.js';
export { isRestartAsked, restartKey, type SignalStore, signalRestart } from './restart-signal.js';
