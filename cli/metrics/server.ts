import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueueError } from '../../src/errors.js';
import type { MetricsAddress } from '../../src/index.js';

/** An answer over HTTP. */
export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly text: string;
}

/** What is answered, by path. */
export type Answers = Readonly<Record<string, () => Answer | Promise<Answer>>>;

/** How long a client may take to ask, and how many may be there at once: none shall hold up the worker. */
const askWithinMs = 5000;
const mostConnections = 50;

/** A server that answers a few paths. */
export class AnswerServer {
  readonly #server: Server;
  readonly #host: string;

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
  }

  /** @throws QueueError `E_USAGE` where it cannot listen there. */
  static async listen({ port, host }: Required<MetricsAddress>, answers: Answers): Promise<AnswerServer> {
    const limits = { requestTimeout: askWithinMs, headersTimeout: askWithinMs };
    const server = createServer(limits, (request, response) => {
      const path = (request.url ?? '').replace(/\?.*$/s, '');
      void reply(request.method, Object.hasOwn(answers, path) ? answers[path] : undefined, response);
    });
    server.maxConnections = mostConnections;
    server.listen({ port, host });
    try {
      await once(server, 'listening');
    } catch (error) {
      throw refusal(error, host, port);
    }
    server.on('error', () => {}); // of a connection that could not be taken: whoever asks will ask again
    return new AnswerServer(server, host);
  }

  /** Where it answers. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${port}`;
  }

  /** Answers nobody any more. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function reply(
  method: string | undefined,
  answer: Answers[string] | undefined,
  response: ServerResponse,
): Promise<void> {
  const { status, text, type = 'text/plain; charset=utf-8' } = await answerTo(method, answer);
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(method === 'HEAD' ? undefined : text);
}

async function answerTo(method: string | undefined, answer: Answers[string] | undefined): Promise<Answer> {
  if (answer === undefined) return { status: 404, text: 'not found\n' };
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'only GET and HEAD\n' };
  try {
    return await answer();
  } catch {
    return { status: 500, text: 'it could not be said\n' };
  }
}

function refusal(cause: unknown, host: string, port: number): QueueError {
  const { code = 'unknown error' } = cause as { code?: string };
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use',
    EACCES: 'this user may not listen there',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such host',
  };
  return new QueueError('E_USAGE', `metrics on ${host}:${port}: ${why[code] ?? code}`, {
    fix: 'Name another with --metrics-port (each worker process takes one, counted up) and --metrics-host.',
    cause,
  });
}
