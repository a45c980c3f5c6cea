import { randomBytes } from 'node:crypto';
import { type NewJob, type PushOutcome, QueueError } from '../../src/index.js';
import type { Commands } from './commands.js';
import type { Keys } from './keys.js';
import { settled } from './lost-reply.js';
import { markableId } from './member.js';
import { pushNowScript } from './push-scripts.js';
import type { RedisWire } from './wire.js';

/**
 * Stores jobs. A push whose answer was lost is settled by one script, which looks whether the jobs were stored and
 * else stores them; in the same step it makes a first try that arrives late do nothing. ADR 5 has the bounds.
 */
export class Pusher {
  readonly #session: Commands;
  readonly #keys: Keys;
  readonly #wire: RedisWire;
  readonly #name = randomBytes(9).toString('base64url');
  #pushes = 0;

  constructor(session: Commands, keys: Keys, wire: RedisWire) {
    this.#session = session;
    this.#keys = keys;
    this.#wire = wire;
  }

  /**
   * The connector's `push`.
   *
   * @throws QueueError `ambiguous`, with the `ids` of the jobs, where the outcome was not settled within a second
   * command timeout.
   */
  async push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const isNew = jobs.length > 1 ? areFirst(jobs) : undefined;
    const asked = isNew ? jobs.filter((_, index) => isNew[index]) : jobs;
    const keys = this.#keys.ofPush(queue, `${this.#name}${(this.#pushes++).toString(36)}`);
    const session = this.#session;
    const members = this.#wire.pushesPlainly ? membersDueNow(asked, this.#wire) : undefined;
    let made: (string | Buffer)[] | undefined;
    // The same ones for each try: they may have been stored.
    const args = () => {
      made ??= argumentsOf(asked, this.#wire);
      return made;
    };
    const stored = await settled<number[]>(
      () => this.#store(keys, members, args),
      (timeoutMs) => session.script(this.#wire.scripts.pushAgain, keys, args(), timeoutMs),
      session.commandTimeoutMs,
      (cause) => unsettledPush(cause, jobs),
    );
    let at = 0;
    return jobs.map((_, index) =>
      isNew?.[index] !== false && stored[at++] === 1 ? 'stored' : 'already-there',
    );
  }

  async #store(
    keys: readonly string[],
    members: readonly string[] | undefined,
    args: () => readonly (string | Buffer)[],
  ): Promise<number[]> {
    if (members !== undefined && members.length > 0) {
      const [list = '', delayed = ''] = keys;
      const mark = keys.at(-1) as string;
      const answer = await this.#session.script<number>(pushNowScript, [list, delayed, mark], members);
      if (answer === 1) return members.map(() => 1);
    }
    return await this.#session.script(this.#wire.scripts.push, keys, args());
  }
}

/** Which of the jobs are asked for: an id that stands twice is pushed once. */
function areFirst(jobs: readonly NewJob[]): boolean[] | undefined {
  const ids = new Set<string>();
  for (const { id } of jobs) ids.add(id);
  if (ids.size === jobs.length) return undefined;
  return jobs.map(({ id }) => ids.delete(id));
}

/** The members, where they are all that there is to store. */
function membersDueNow(jobs: readonly NewJob[], { members, holdsIds }: RedisWire): string[] | undefined {
  const found: string[] = [];
  for (const { id, body, unique, delayMs = 0, availableAtMs } of jobs) {
    if ((unique && holdsIds) || delayMs !== 0 || availableAtMs !== undefined) return undefined;
    const { member, bodyKey } = members.stored(id, body);
    if (bodyKey !== '') return undefined;
    found.push(member);
  }
  return found;
}

/** What the scripts take. */
function argumentsOf(jobs: readonly NewJob[], { members, holdsIds }: RedisWire): (string | Buffer)[] {
  const args: (string | Buffer)[] = [];
  for (const job of jobs) {
    const { id, unique = false } = job;
    const { member, bodyKey, body } = members.stored(id, job.body);
    args.push(unique && holdsIds ? markableId(id) : '', whenOf(job), member, bodyKey, body);
  }
  return args;
}

function whenOf({ delayMs = 0, availableAtMs }: NewJob): string {
  return availableAtMs === undefined ? `+${delayMs}` : String(Math.max(0, availableAtMs));
}

/** What is said where it stays open whether the jobs were stored. */
export function unsettledPush(cause: unknown, jobs: readonly NewJob[]): QueueError {
  const ids = [...new Set(jobs.map(({ id }) => id))];
  const shownIds =
    ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ');
  const what = ids.length === 1 ? `job ${shownIds} is` : `the jobs ${shownIds} are`;
  const said = cause instanceof Error ? cause.message : String(cause);
  return new QueueError('E_STORE_UNAVAILABLE', `whether ${what} stored is open: ${said}`, {
    fix: 'Look for them in the queue, or push them again: a job that was stored would then run twice.',
    transient: true,
    ambiguous: true,
    ids,
    cause,
  });
}
