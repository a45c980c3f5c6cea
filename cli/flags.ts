import type { Flags } from './args.js';

/** Flags that every command has. */
export const commonFlags: Flags = {
  connection: { kind: 'text', says: 'Connection of the config', without: 'its default' },
  config: { kind: 'text', says: 'Config file', without: 'drover.config.* or config/queue.* in this folder' },
  json: { kind: 'switch', says: 'One JSON object a line on stdout instead of text; logs as JSON on stderr' },
};

/** Flags that say how jobs are worked: those of `queue:work` and `queue:listen` alike. */
export const workFlags: Flags = {
  queue: { kind: 'text', says: 'Queues by priority: high,default', without: "the connection's queue" },
  tries: { kind: 'text', says: 'Deliveries allowed, the first included; 0: no limit', without: '3' },
  backoff: {
    kind: 'text',
    says: "Wait after a failed attempt: 5, 30s, a list 1s,10s,1m, or 'exponential'",
    without: 'exponential',
  },
  delay: { kind: 'text', says: "think-queue's name for a --backoff of one span" },
  timeout: { kind: 'text', says: 'Longest run of one attempt; 0: no limit', without: '60s' },
  rest: { kind: 'text', says: 'How long to rest after each job', without: '0' },
  force: { kind: 'switch', says: 'Work also while the config says that the application is in maintenance' },
  sleep: { kind: 'text', says: 'Longest wait between two looks at an idle queue', without: '3s' },
  memory: { kind: 'text', says: 'Stop above this many MiB of resident memory; 0: no limit', without: '0' },
  'shutdown-timeout': {
    kind: 'text',
    says: 'How long running jobs may take to end after SIGTERM',
    without: '25s',
  },
  quiet: { kind: 'switch', says: 'Print only what goes wrong: failed jobs, warnings, errors' },
};

/** Flags that say where worker processes answer scrapes and probes. */
export const metricsFlags: Flags = {
  'metrics-port': {
    kind: 'text',
    says: 'Answer /metrics, /healthz and /readyz here; each further worker process on the next port; 0: any',
  },
  'metrics-host': { kind: 'text', says: 'The address to answer them on', without: '127.0.0.1' },
};

/** Flags of `queue:work`. */
export const queueWorkFlags: Flags = {
  daemon: { kind: 'switch', says: 'Run until told to stop: what it does anyway, said explicitly' },
  once: { kind: 'switch', says: 'Run one job, or none where none is due, and exit' },
  'stop-when-empty': { kind: 'switch', says: 'Exit when nothing is due, nor falls due within --sleep' },
  workers: {
    kind: 'text',
    says: 'Worker processes; 0: work in this process, which nobody watches, as with --once',
    without: '1',
  },
  concurrency: { kind: 'text', says: 'Jobs that run side by side in each process', without: '1' },
  prefetch: {
    kind: 'text',
    says: 'Jobs to reserve ahead of free slots at most; 0 for none',
    without: '100, on Redis 400, on PostgreSQL 600, on SQLite 54',
  },
  ...workFlags,
  name: {
    kind: 'text',
    says: 'What the worker is called in logs and queue:workers',
    without: '<host>:<pid>',
  },
  'max-jobs': { kind: 'text', says: 'Exit after this many jobs; 0: no limit', without: '0' },
  'max-time': { kind: 'text', says: 'Exit after this long; 0: no limit', without: '0' },
  'max-outage': { kind: 'text', says: 'Exit when the store was away for so long; 0: wait', without: '0' },
  ...metricsFlags,
  group: { kind: 'text', says: 'Work as this group of the config', hidden: true },
  supervised: { kind: 'switch', says: 'Be a worker process of a supervisor', hidden: true },
  'report-to-parent': { kind: 'switch', says: 'Tell queue:listen about the job', hidden: true },
};
