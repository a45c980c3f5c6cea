import type { LiveJob, LiveState, Peek } from '../../src/index.js';
import type { Commands } from '../redis/commands.js';
import { findInPages, peekPages } from '../redis/pages.js';
import type { Keys } from './keys.js';
import { readMember } from './member.js';
import { peekScript } from './queue-scripts.js';

/** Looks at the jobs of a queue. Changes nothing. */
export class WebmanPeek {
  readonly #session: Commands;
  readonly #keys: Keys;

  constructor(session: Commands, keys: Keys) {
    this.#session = session;
    this.#keys = keys;
  }

  peek(queue: string, options: Peek): Promise<LiveJob[]> {
    return peekPages((...page) => this.#page(queue, ...page), options);
  }

  find(queue: string, id: string): Promise<LiveJob | null> {
    return findInPages((...page) => this.#page(queue, ...page), id);
  }

  async #page(queue: string, state: LiveState, offset: number, limit: number): Promise<LiveJob[]> {
    const args = [queue, state, offset, limit];
    const reply = await this.#session.script<Buffer[]>(peekScript, this.#keys.all, args);
    const jobs: LiveJob[] = [];
    for (let at = 0; at < reply.length; at += 3) {
      const [member, score, token] = reply.slice(at, at + 3) as [Buffer, Buffer, Buffer];
      const scoreMs = score.length === 0 ? null : Math.round(Number(score) * 1000);
      jobs.push(liveJob(queue, state, member, scoreMs, token.toString()));
    }
    return jobs;
  }
}

function liveJob(
  queue: string,
  state: LiveState,
  member: Buffer,
  scoreMs: number | null,
  token: string,
): LiveJob {
  const { id, body, attempts } = readMember(member);
  const isReserved = state === 'reserved';
  return {
    id,
    queue,
    state,
    body,
    attempts: token === '' ? attempts - 1 : attempts,
    createdAtMs: null,
    dueAtMs: isReserved ? null : scoreMs,
    // A lease's token begins with the time of the reserve in µs.
    reservedAtMs: isReserved ? Math.floor(Number.parseInt(token.slice(0, 14), 16) / 1000) : null,
    leaseEndsAtMs: isReserved ? scoreMs : null,
  };
}
