import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isQueueError, QueueError } from '../../src/index.js';
import { asForm } from './form.js';
import { rawUrlEncode, type TopthinkSettings } from './options.js';
import { type Answer, type Message, send } from './send.js';

/** A message for the service to keep, and to send to the endpoint when its delay is over. */
export interface ServiceMessage {
  readonly payload: string;
  /** Deliveries so far. */
  readonly attempts: number;
  readonly delaySeconds: number;
}

/** Waits so many ms, or rejects when the signal aborts. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<unknown>;

const pauseFor: Pause = (ms, signal) => sleep(ms, undefined, { signal });

/** The two verbs of the service. Both throw `E_STORE_UNAVAILABLE`, `E_CONFIG`, `E_PAYLOAD_TOO_LARGE` or `E_QUEUE_CLOSED`. */
export class Service {
  readonly #settings: TopthinkSettings;
  readonly #pause: Pause;
  readonly #closing = new AbortController();

  constructor(settings: TopthinkSettings, pause = pauseFor) {
    this.#settings = settings;
    this.#pause = pause;
    setMaxListeners(0, this.#closing.signal); // one for each request that is under way
  }

  /** Stores a message and answers the service's id of it. */
  async push(queue: string, { payload, attempts, delaySeconds }: ServiceMessage): Promise<string> {
    const content = asForm({ payload, attempts: String(attempts), delay: String(delaySeconds) });
    const answer = await this.#ask({ method: 'POST', path: this.#pathOf(queue), content });
    if (isGood(answer)) return idIn(answer);
    throw refused(answer);
  }

  /** Removes a message; false where there is none of that id. */
  async remove(queue: string, id: string): Promise<boolean> {
    // What PHP sends: the JSON of no parameters, under curl's own type.
    const content = { type: 'application/x-www-form-urlencoded', body: '[]' };
    const path = `${this.#pathOf(queue)}/${rawUrlEncode(id)}`;
    const answer = await this.#ask({ method: 'DELETE', path, content });
    if (isGood(answer)) return true;
    // After an error it may be this very call that has removed it.
    if (answer.status === 404 || answer.status === 410) return answer.tries > 1;
    throw refused(answer);
  }

  /** Ends requests and waits that are under way. */
  close(): void {
    this.#closing.abort();
  }

  #pathOf(queue: string): string {
    return `${this.#settings.base}/queue/${rawUrlEncode(queue)}/message`;
  }

  /** Sends again what is answered with 500 and more. */
  async #ask(message: Message): Promise<Answer & { readonly tries: number }> {
    const { signal } = this.#closing;
    for (let tries = 1; ; tries += 1) {
      if (signal.aborted) throw new QueueError('E_QUEUE_CLOSED', 'the queue was closed');
      const answer = await this.#send(message, tries);
      if (answer.status < 500) return { ...answer, tries };
      if (tries >= this.#settings.maxTries) throw failing(answer.status, tries);
      await this.#pause(Math.random() * longestPauseMs(tries), signal).catch(() => {
        throw new QueueError('E_QUEUE_CLOSED', `the queue was closed after an answer ${answer.status}`, {
          ambiguous: true,
        });
      });
    }
  }

  /** Where an earlier try was answered with an error, what that did stays open whatever becomes of this one. */
  async #send(message: Message, tries: number): Promise<Answer> {
    try {
      return await send(message, this.#settings, this.#closing.signal);
    } catch (error) {
      if (tries === 1 || !isQueueError(error) || error.ambiguous) throw error;
      const { code, transient } = error;
      throw new QueueError(code, error.message, { transient, ambiguous: true, cause: error });
    }
  }
}

/** As PHP's: up to 100 ms after the first try, then four times as long each. */
function longestPauseMs(tries: number): number {
  return 100 * 4 ** (tries - 1);
}

function isGood({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

function idIn({ status, text }: Answer): string {
  const id = fieldOf(text, 'id');
  if ((typeof id === 'string' && id !== '') || typeof id === 'number') return String(id);
  throw new QueueError('E_STORE_UNAVAILABLE', `an answer ${status} without the id of a message`, {
    fix: 'Check host, port and apiVersion: is it the service that answers there?',
    ambiguous: true,
  });
}

function fieldOf(text: string, name: string): unknown {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null)?.[name];
  } catch {
    return undefined;
  }
}

/** A server's error says nothing of what it had done by then. */
function failing(status: number, tries: number): QueueError {
  const what = `the service answered ${status}, ${tries === 1 ? 'once' : `${tries} times`}`;
  return new QueueError('E_STORE_UNAVAILABLE', what, { transient: true, ambiguous: true });
}

/** Never with the text of the answer, which might quote the token. */
function refused({ status }: Answer): QueueError {
  if (status === 408 || status === 429) {
    return new QueueError('E_STORE_UNAVAILABLE', `the service is busy (${status})`, { transient: true });
  }
  if (status === 413) {
    return new QueueError('E_PAYLOAD_TOO_LARGE', 'the service takes no payload of this size (413)', {
      fix: 'Store the bulk elsewhere and push a reference to it.',
    });
  }
  return new QueueError('E_CONFIG', `the service refuses the request (${status})`, {
    fix: 'Check token, projectId, host and apiVersion of the connection.',
  });
}
