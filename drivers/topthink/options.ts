import {
  type ConnectionOptions,
  checkOptionNames,
  connectionOptionNames,
  type Duration,
  durationToMs,
  QueueError,
} from '../../src/index.js';

/** Options of a topthink connection: where the service is, and whose projects it is asked for. */
export interface TopthinkOptions extends Omit<ConnectionOptions, 'history'> {
  /** What the service knows the project's owner by. Sent with every request, shown nowhere. */
  readonly token: string;
  readonly projectId: string;
  /** Default `'https'`, with the certificate checked. `'http'` sends the token in the clear. */
  readonly protocol?: 'https' | 'http';
  /** Default `'qns.topthink.com'`. */
  readonly host?: string;
  /** Default 443, for `http` 80. */
  readonly port?: number;
  /** Default 1. */
  readonly apiVersion?: number;
  /** How often in all a request is sent that the service answers with a status from 500 up. Default 3. */
  readonly maxRetries?: number;
  /** How long one request may take, connecting included. Default `'10s'`. */
  readonly commandTimeout?: Duration;
  /** The authority of the service's certificate (PEM), where Node does not know it. */
  readonly ca?: string;
}

/** Options checked and filled in. */
export interface TopthinkSettings {
  readonly token: string;
  readonly protocol: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  /** What stands before `queue/…` in the path of every request. */
  readonly base: string;
  readonly maxTries: number;
  readonly timeoutMs: number;
  readonly ca: string | undefined;
}

/** Names of the options of `topthink`. */
export const topthinkOptionNames = [
  'token',
  'projectId',
  'protocol',
  'host',
  'port',
  'apiVersion',
  'maxRetries',
  'commandTimeout',
  'ca',
  ...connectionOptionNames.filter((name) => name !== 'history'),
] as const satisfies readonly (keyof TopthinkOptions)[];

const phpNames = { project_id: 'projectId', api_version: 'apiVersion', max_retries: 'maxRetries' };

/**
 * Checks the options of `topthink`. Opens nothing.
 *
 * @throws QueueError `E_CONFIG` or `E_DURATION` naming the option and never the token.
 */
export function readTopthinkOptions(options: TopthinkOptions): TopthinkSettings {
  if (typeof options !== 'object' || options === null) {
    throw new QueueError('E_CONFIG', 'topthink() needs options', {
      fix: "Write topthink({ token: process.env.TOPTHINK_TOKEN, projectId: '…' }).",
    });
  }
  checkOptionNames(options, topthinkOptionNames, 'topthink', phpNames);
  const { token, projectId, protocol = 'https', host = 'qns.topthink.com', ca } = options;
  if (protocol !== 'https' && protocol !== 'http') throw wrong('protocol', "is neither 'https' nor 'http'");
  const timeoutMs = durationToMs(options.commandTimeout ?? '10s', 'commandTimeout');
  if (timeoutMs < 1 || timeoutMs > 3_600_000) throw wrong('commandTimeout', 'is not between 1 ms and 1 h');
  if (ca !== undefined && typeof ca !== 'string') throw wrong('ca', 'is not the text of a certificate');
  const version = whole('apiVersion', options.apiVersion ?? 1, 1000);
  return {
    token: text('token', token, /^[\x21-\x7e]+$/),
    protocol,
    host: text('host', host, /^[\w.:-]+$/),
    port: whole('port', options.port ?? (protocol === 'https' ? 443 : 80), 65_535),
    base: `/v${version}/project/${rawUrlEncode(text('projectId', projectId, /^[\x21-\x7e]+$/))}`,
    maxTries: whole('maxRetries', options.maxRetries ?? 3, 20),
    timeoutMs,
    ca,
  };
}

/** PHP's `rawurlencode`: encodes all but letters, digits and `- _ . ~`. */
export function rawUrlEncode(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function text(name: keyof TopthinkOptions, given: unknown, allowed: RegExp): string {
  if (typeof given === 'string' && allowed.test(given)) return given;
  throw wrong(name, given === undefined ? 'is missing' : 'is empty, or has characters that it cannot have');
}

function whole(name: keyof TopthinkOptions, given: unknown, most: number): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 1 && given <= most) return given;
  throw wrong(name, `is not a whole number from 1 to ${most}`);
}

function wrong(name: keyof TopthinkOptions, what: string): QueueError {
  return new QueueError('E_CONFIG', `topthink: ${name} ${what}`);
}
