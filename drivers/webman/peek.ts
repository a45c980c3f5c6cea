import type { LiveJob, LiveState, Peek } from '../../src/index.js';
import type { Commands } from '../redis/commands.js';
import type { Keys } from './keys.js';
import { readMember } from './member.js';
import { peekScript } from './queue-scripts.js';

/** Packages that are read in one go: each may be a megabyte. */
const pageSize = 100;

/** Looks at the jobs of a queue. Changes nothing. */
export class WebmanPeek {
  readonly #session: Commands;
  readonly #keys: Keys;

  constructor(session: Commands, keys: Keys) {
    this.#session = session;
    this.#keys = keys;
  }

  async peek(queue: string, { state, limit, offset = 0 }: Peek): Promise<LiveJob[]> {
    const jobs: LiveJob[] = [];
    while (jobs.length < limit) {
      const most = Math.min(pageSize, limit - jobs.length);
      const page = await this.#page(queue, state, offset + jobs.length, most);
      jobs.push(...page);
      if (page.length < most) break;
    }
    return jobs;
  }

  async find(queue: string, id: string): Promise<LiveJob | null> {
    // In the order in which a job moves on, so that one that moves meanwhile is met later.
    for (const state of ['delayed', 'ready', 'reserved'] as const) {
      for (let offset = 0; ; offset += pageSize) {
        const page = await this.#page(queue, state, offset, pageSize);
        const found = page.find((job) => job.id === id);
        if (found) return found;
        if (page.length < pageSize) break;
      }
    }
    return null;
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
