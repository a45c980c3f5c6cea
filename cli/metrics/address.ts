import type { MetricsAddress, QueueConfig } from '../../src/index.js';
import { type Args, usage } from '../args.js';

const highestPort = 65_535;

/**
 * Where a worker process shall answer, or undefined where it shall not. One that runs a single job does only where a
 * flag says so: the config's port is that of the workers beside it.
 *
 * @param place of the process among those of its supervisor, from 0.
 * @throws QueueError `E_USAGE`.
 */
export function metricsAddress(
  args: Args,
  config: Pick<QueueConfig, 'metrics'>,
  place: number,
): Required<MetricsAddress> | undefined {
  const flag = args.whole('metrics-port', 0);
  const host = args.text('metrics-host') ?? config.metrics?.host ?? '127.0.0.1';
  const first = flag ?? (args.isOn('once') ? undefined : config.metrics?.port);
  if (first === undefined) {
    if (args.text('metrics-host') === undefined || config.metrics !== undefined) return undefined;
    throw usage('--metrics-host needs a port', 'Add --metrics-port 9464.');
  }
  const port = first === 0 ? 0 : first + place;
  if (port <= highestPort) return { host, port };
  throw usage(`--metrics-port: there is no port ${port}`, `The highest is ${highestPort}.`);
}
