import type { Connector } from './connector.js';
import { QueueError } from './errors.js';
import { type WorkerInfo, workerInfo } from './worker-info.js';

/**
 * The workers of a connection, in whatever process, by start.
 *
 * @throws QueueError `E_UNSUPPORTED` where the store keeps no list.
 */
export async function listWorkers({ workers }: Connector, connectionName: string): Promise<WorkerInfo[]> {
  if (!workers)
    throw new QueueError('E_UNSUPPORTED', `connection ${connectionName} keeps no list of workers`);
  const infos = (await workers.list()).flatMap((entry) => workerInfo(entry) ?? []);
  return infos.sort((a, b) => a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1));
}
