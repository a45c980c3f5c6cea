import { connectionSettings, type Driver, type Queue } from '../../src/index.js';
import { TopthinkConnector } from './connector.js';
import { type Endpoint, type EndpointOptions, makeEndpoint } from './endpoint.js';
import { readTopthinkOptions, type TopthinkOptions } from './options.js';
import { Service } from './service.js';
import { topthinkFormat } from './wire.js';

export type { Endpoint, EndpointOptions } from './endpoint.js';
export { type TopthinkOptions, topthinkOptionNames } from './options.js';

/** The driver, which also makes the endpoint that the service sends jobs to. Stands in one config only. */
export interface TopthinkDriver extends Driver {
  /**
   * A handler in the manner of `fetch` for the URL that the service calls: runs the job under the tries, backoff and
   * timeout of `worker` in the config, and removes or releases its message at the service. Close the HTTP server
   * before the queue.
   *
   * @param queue on this connection: `queue.connection('…')` where it is not the default one. It has the `jobs`, and
   * `failed` names another connection or `'none'`, as the service keeps no failed jobs.
   * @throws QueueError `E_CONFIG` without `verify`.
   */
  endpoint(queue: Queue, options: EndpointOptions): Endpoint;
}

/**
 * think-queue 1's push service (driver `topthink`): a push is a request to it, and it sends the jobs that are due to an
 * HTTP endpoint of the application. Ids are the service's. A push with `id`, several jobs in one push, workers, sizes
 * and clearing are refused as `E_UNSUPPORTED`.
 *
 * @throws QueueError `E_CONFIG`, `E_DURATION` or `E_QUEUE_NAME` for options that cannot be, never naming the token.
 * Pushes reject with `E_STORE_UNAVAILABLE`, ambiguous where the service may have stored the job, with `E_CONFIG` where it
 * refuses the request and with `E_PAYLOAD_TOO_LARGE`.
 */
export function topthink(options: TopthinkOptions): TopthinkDriver {
  const settings = readTopthinkOptions(options);
  const connectors = new Map<string, TopthinkConnector>();
  return {
    driver: 'topthink',
    settings: connectionSettings({
      ...(options.queue !== undefined && { queue: options.queue }),
      ...(options.lease !== undefined && { lease: options.lease }),
      ...(options.retry_after !== undefined && { retry_after: options.retry_after }),
    }),
    wire: topthinkFormat,
    connect(context) {
      const connector = new TopthinkConnector(new Service(settings), context);
      connectors.set(context.connection, connector);
      return connector;
    },
    endpoint: (queue, endpointOptions) =>
      makeEndpoint(async (message) => {
        await queue.migrate(); // makes nothing here, but has the queue connect where it has not yet
        const connector = connectors.get(queue.connectionName);
        return (await connector?.deliver(message)) ?? false;
      }, endpointOptions ?? {}),
  };
}
