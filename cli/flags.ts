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
    without: '20s',
  },
};
