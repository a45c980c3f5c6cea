import type { Clock } from './clock.js';
import type { Connections } from './connections.js';
import type { Connector } from './connector.js';
import { failedFindings, leaseFinding, queueFindings, servedFindings } from './diagnosis-rules.js';
import type { Duration } from './duration.js';
import { isQueueError } from './errors.js';
import type { Finding } from './finding.js';
import { askMaintenance, pauseFindings } from './halt-findings.js';
import type { QueueReading } from './monitor.js';
import { monotonicMs } from './monotonic.js';
import { isPaused, pausesOf } from './pauses.js';
import type { QueueConfig } from './queue-config.js';
import type { Registry } from './registry.js';
import { workerInfo } from './worker-info.js';

/** What a diagnosis may go by. */
export interface DiagnoseOptions {
  /** The queues that the workers serve. Default: `worker.queues` of the config, then the connection's own queue. */
  readonly queues?: readonly string[];
  /** The timeout that workers are given. Default: `worker.timeout` of the config. */
  readonly timeout?: Duration;
}

/** Where a diagnosis looks. */
export interface DiagnosedParts {
  readonly connection: string;
  readonly config: QueueConfig;
  readonly connections: Connections;
  readonly registry: Registry;
  readonly clock: Clock;
}

const dayMs = 86_400_000;
/** How many failed jobs are read at most: they come with their payloads. */
const mostFailed = 100;

/**
 * Checks a connection, its settings and what is in its store, and changes nothing. Never rejects for what is wrong
 * with them: that is what the findings say.
 */
export async function diagnose(
  parts: DiagnosedParts,
  { queues, timeout }: DiagnoseOptions,
): Promise<Finding[]> {
  const { connection, config, connections, registry } = parts;
  const { settings } = connections.driver(connection);
  const connector = connections.connector(connection);
  if (connector.inline) {
    return [{ check: 'store', status: 'ok', message: 'jobs run as they are pushed: nothing is stored' }];
  }
  const configured = config.worker?.queues ?? [];
  const served = queues ?? (configured.length > 0 ? configured : [settings.queue]);
  const findings = [
    leaseFinding(
      { ...config.worker, ...(timeout !== undefined && { timeout }) },
      { name: connection, ...settings },
    ),
    ...servedFindings(jobQueues(registry), served, settings.queue),
    ...(await storeFindings(connector)),
  ];
  // Other verbs may make or change tables, and would only say the same again.
  if (findings.some(({ check, status }) => stopsThere.has(check) && status !== 'ok')) return findings;
  const own = [...new Set([...served, ...jobQueues(registry).values()])];
  return [...findings, ...(await contentFindings(parts, connector, own))];
}

const stopsThere: ReadonlySet<string> = new Set(['store', 'schema']);

/** The queues that the definitions of jobs name, by job. */
function jobQueues(registry: Registry): Map<string, string> {
  const queues = new Map<string, string>();
  for (const name of registry.names) {
    const queue = registry.settings(name)?.queue;
    if (queue !== undefined) queues.set(name, queue);
  }
  return queues;
}

async function storeFindings(connector: Connector): Promise<Finding[]> {
  const startedMs = monotonicMs();
  try {
    const findings = (await connector.diagnose?.()) ?? [];
    const ms = Math.round(monotonicMs() - startedMs);
    const message = connector.diagnose ? `answers, all checks in ${ms} ms` : 'has no checks of its own';
    return [{ check: 'store', status: 'ok', message }, ...findings];
  } catch (error) {
    return [broken('store', error)];
  }
}

async function contentFindings(
  { connection, config, connections, clock }: DiagnosedParts,
  connector: Connector,
  queues: readonly string[],
): Promise<Finding[]> {
  try {
    const readings = await Promise.all(
      queues.map(
        async (queue): Promise<QueueReading> => ({ connection, queue, ...(await connector.size(queue)) }),
      ),
    );
    const beats = await connector.workers?.list();
    const pauses = await pausesOf(connector.signals);
    const maintenance = await askMaintenance(config);
    const found = [
      ...pauseFindings(connection, pauses),
      ...maintenance.findings,
      ...queueFindings(
        readings,
        beats?.flatMap((beat) => workerInfo(beat) ?? []),
        (queue) => isPaused(pauses, queue) || maintenance.isOn,
      ),
    ];
    const place = connections.failedPlace(connection);
    const store = place.kind === 'other-store' ? place.store : connector.failedJobs;
    if (place.kind === 'none' || store === undefined) {
      const message = 'the config keeps no record of failed jobs';
      return [...found, { check: 'failed-jobs', status: 'ok', message }];
    }
    const sinceMs = clock.now() - dayMs;
    const jobs = await store.list({ connection, sinceMs, limit: mostFailed });
    return [...found, ...failedFindings(jobs, mostFailed)];
  } catch (error) {
    return [broken('jobs', error)];
  }
}

function broken(check: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const fix = isQueueError(error) ? error.fix : undefined;
  return { check, status: 'error', message, fix: fix ?? 'Look into the log of the store.' };
}
