import type * as PromClient from 'prom-client';
import { loadPackage } from '../../config/telemetry/load-package.js';
import { queueMetrics } from '../../config/telemetry/metrics.js';
import type { MetricsAddress, Queue } from '../../src/index.js';
import { type Answer, AnswerServer } from './server.js';

/** What the answers are about. */
export interface Served {
  readonly queue: Queue;
  /** The queues that the worker serves. */
  readonly queues: readonly string[];
  /** True once the worker takes no more jobs. */
  isStopping(): boolean;
}

/** Answers scrapes and probes until it is closed. */
export interface MetricsServer {
  readonly url: string;
  close(): void;
}

/**
 * Answers `/metrics`, `/healthz` and `/readyz` for the worker of this process.
 *
 * @throws QueueError `E_DRIVER_MISSING` where prom-client is not installed, `E_USAGE` where the port cannot be had.
 */
export async function serveMetrics(
  address: Required<MetricsAddress>,
  { queue, queues, isStopping }: Served,
): Promise<MetricsServer> {
  const { collectDefaultMetrics } = loadPackage<typeof PromClient>('prom-client', 15, 'metrics');
  const metrics = queueMetrics(queue, { queues });
  const { register } = metrics;
  const answers = {
    '/metrics': async () => ({ status: 200, type: register.contentType, text: await register.metrics() }),
    // That it answers says all: the process lives and its event loop turns.
    '/healthz': () => ok,
    '/readyz': async () => {
      if (isStopping()) return notReady('the worker is stopping');
      const problem = await metrics.storeProblem();
      return problem === undefined ? ok : notReady(`the store ${problem}`);
    },
  };
  const server = await AnswerServer.listen(address, answers);
  collectDefaultMetrics({ register });
  const close = () => {
    metrics.stop();
    server.close();
  };
  return { url: server.url, close };
}

const ok: Answer = { status: 200, text: 'ok\n' };

function notReady(why: string): Answer {
  return { status: 503, text: `${why}\n` };
}
