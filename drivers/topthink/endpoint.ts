import { checkQueueName, QueueError } from '../../src/index.js';
import type { DeliveredMessage } from './connector.js';

/** Options of an endpoint. */
export interface EndpointOptions {
  /**
   * Says whether a request comes from the service, by a secret in the URL or a header that only the service was
   * given. It signs nothing itself, so without this anybody could run jobs. May read a `clone()` of the request.
   */
  readonly verify: (request: Request) => boolean | Promise<boolean>;
}

/** Answers a request that the service sends. Never rejects. */
export type Endpoint = (request: Request) => Promise<Response>;

/**
 * The URL that a queue's subscription names: each request is one delivery of one job. Answers 200 once the message is
 * settled (done, released or failed), and 500 where it is not, so that the service sends it again.
 *
 * @param deliver runs the job; answers whether its message is settled.
 * @throws QueueError `E_CONFIG` without `verify`.
 */
export function makeEndpoint(
  deliver: (message: DeliveredMessage) => Promise<boolean>,
  { verify }: Partial<EndpointOptions>,
): Endpoint {
  if (typeof verify !== 'function') {
    throw new QueueError('E_CONFIG', 'endpoint: verify is missing, so that anybody could run jobs', {
      fix: 'Write endpoint(queue, { verify: (request) => … }), which looks for a secret that only the service was given.',
    });
  }
  return async (request) => {
    try {
      if (request.method !== 'POST') return answer(405);
      if ((await verify(request)) !== true) return answer(403);
      const message = messageIn(request.headers, await request.text());
      if (typeof message === 'string') return answer(400, message);
      return (await deliver(message)) ? answer(200, 'OK') : answer(500, 'the message is not settled');
    } catch {
      return answer(500); // of verify, or of a queue that was closed
    }
  };
}

function answer(status: number, text = ''): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

/** The message that a request brings, or what is wrong with its headers. */
function messageIn(headers: Headers, body: string): DeliveredMessage | string {
  const [id, queue, attempts, status] = ['id', 'queue', 'attempts', 'status'].map(
    (name) => headers.get(`topthink-message-${name}`) ?? '',
  ) as [string, string, string, string];
  // It becomes a part of a path, where dots alone would lead elsewhere.
  if (!/^(?!\.+$)[\x21-\x7e]{1,64}$/.test(id)) return 'topthink-message-id is no id';
  if (!isQueueName(queue)) return 'topthink-message-queue is no name of a queue';
  if (!/^\d{1,9}$/.test(attempts)) return 'topthink-message-attempts is no number';
  if (status === '') return 'topthink-message-status is missing';
  // The header counts the deliveries before this one.
  const message = { id, queue, body, attempts: Number(attempts) + 1 };
  if (status === 'success') return message;
  return { ...message, givenUp: `the push service gave the job up (${status.slice(0, 40)})` };
}

function isQueueName(name: string): boolean {
  try {
    return checkQueueName(name) === name;
  } catch {
    return false;
  }
}
