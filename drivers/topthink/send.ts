import { type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { QueueError } from '../../src/index.js';
import type { Content } from './form.js';
import type { TopthinkSettings } from './options.js';

/** One request to the service. */
export interface Message {
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly content: Content;
}

/** What the service said. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** An id and some words: what is longer is no answer of the service. */
const longestAnswer = 65_536;

/** What OpenSSL and Node call a certificate that they do not trust. */
const distrust = /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|^ERR_(TLS|SSL)/;

/**
 * Sends one request on a connection of its own, and answers whatever status comes; redirects are not followed.
 *
 * @param closing aborts when the connection is closed.
 * @throws QueueError `E_STORE_UNAVAILABLE` (ambiguous where the service may have read the request), `E_QUEUE_CLOSED`,
 * or `E_CONFIG` where its certificate is not trusted.
 */
export function send(message: Message, settings: TopthinkSettings, closing: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { protocol } = settings;
    const request = open(message, settings, closing);
    let mayBeRead = false;
    request.once('socket', (socket) => {
      socket.once(protocol === 'https' ? 'secureConnect' : 'connect', () => {
        mayBeRead = true;
      });
    });
    const { timeoutMs } = settings;
    const timer = setTimeout(
      () => request.destroy(new Error(`there was no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const fail = (cause: Error) => {
      clearTimeout(timer);
      reject(closing.aborted ? closed(mayBeRead, cause) : unanswered(mayBeRead, cause));
    };
    request.once('error', fail);
    request.once('response', (response) => {
      read(response).then((text) => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, text });
      }, fail);
    });
    request.end(message.content.body);
  });
}

function open(
  { method, path, content }: Message,
  { protocol, host, port, token, ca }: TopthinkSettings,
  signal: AbortSignal,
): ClientRequest {
  const headers = {
    Accept: '*/*',
    Authorization: `Bearer ${token}`,
    'Content-Length': Buffer.byteLength(content.body),
    'Content-Type': content.type,
  };
  // No connection is kept: one that the service has closed meanwhile would leave open what became of a push.
  const options = { method, host, port, path, headers, signal, agent: false };
  return protocol === 'https' ? overHttps({ ...options, ca }) : overHttp(options);
}

async function read(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) {
    text += part;
    if (text.length > longestAnswer) throw new Error(`the answer is longer than ${longestAnswer} characters`);
  }
  return text;
}

function closed(ambiguous: boolean, cause: Error): QueueError {
  return new QueueError('E_QUEUE_CLOSED', 'the queue was closed during a request to the service', {
    ambiguous,
    cause,
  });
}

function unanswered(ambiguous: boolean, cause: Error & { code?: string }): QueueError {
  const { code = '', message } = cause;
  if (!ambiguous && distrust.test(code)) {
    return new QueueError('E_CONFIG', `the certificate of the service is not trusted (${code})`, {
      fix: 'Check host and port; give the authority of a server of your own as ca.',
      cause,
    });
  }
  const what = ambiguous
    ? 'the service did not answer, and may have read the request'
    : 'no way to the service';
  return new QueueError('E_STORE_UNAVAILABLE', `${what} (${code || message})`, {
    transient: true,
    ambiguous,
    cause,
  });
}
