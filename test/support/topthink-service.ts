import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request as it came over the wire, its boundary put in the place of `BOUNDARY`. */
export interface SeenRequest {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** What the service does with a request: an answer of this status, or `hang-up` once it has read it. */
export type Reaction = { readonly status: number; readonly text?: string } | 'hang-up';

/** Stands in for the push service: notes every request, and answers as it is told. */
export class TopthinkService {
  readonly requests: SeenRequest[] = [];
  /** Asked what to do with each request. */
  react: (request: SeenRequest) => Reaction = (request) => this.answer(request);
  readonly #server;
  #messages = 0;

  private constructor(tls?: { readonly key: string; readonly cert: string }) {
    const onRequest = (request: IncomingMessage, response: ServerResponse) =>
      void this.#handle(request, response);
    this.#server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  }

  static async start(tls?: { readonly key: string; readonly cert: string }): Promise<TopthinkService> {
    const service = new TopthinkService(tls);
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Forgets what it has seen and was told. */
  reset(): void {
    this.requests.length = 0;
    this.#messages = 0;
    this.react = (request) => this.answer(request);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** As when all is well: a push gets the id `msg-1`, the next one `msg-2`. */
  answer({ line }: SeenRequest): Reaction {
    if (line.startsWith('DELETE')) return { status: 200, text: '{}' };
    this.#messages += 1;
    return { status: 200, text: JSON.stringify({ id: `msg-${this.#messages}` }) };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method, url, httpVersion, rawHeaders } = request;
    const headers = rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : [],
    );
    const seen = withoutBoundary({
      line: `${method} ${url} HTTP/${httpVersion}`,
      headers,
      body: Buffer.concat(parts).toString('utf8'),
    });
    this.requests.push(seen);
    const reaction = this.react(seen);
    if (reaction === 'hang-up') return void request.socket.destroy();
    response.writeHead(reaction.status).end(reaction.text ?? '');
  }
}

/**
 * A request without what differs from one to the next: the boundary and, with it, the length; the port; and whether the
 * connection is kept. Headers are sorted.
 */
export function withoutBoundary({ line, headers, body }: SeenRequest): SeenRequest {
  const [, boundary = '\0'] = /boundary=(\S+)/.exec(headers.join('\n')) ?? [];
  const times = body.split(boundary).length - 1;
  const told = Number(/^Content-Length: (\d+)$/m.exec(headers.join('\n'))?.[1]);
  const isTrue = told === Buffer.byteLength(body);
  return {
    line,
    headers: headers
      .filter((header) => !/^Connection:/i.test(header))
      .map((header) => header.replace(boundary, 'BOUNDARY').replace(/^(Host: \S+):\d+$/, '$1'))
      .map((header) =>
        isTrue && /^Content-Length:/.test(header)
          ? `Content-Length: ${told - times * boundary.length}`
          : header,
      )
      .sort(),
    body: body.replaceAll(boundary, 'BOUNDARY'),
  };
}
