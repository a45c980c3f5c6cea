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
    const { isNew, args } = argumentsOf(jobs, this.#wire);
    const keys = this.#keys.ofPush(queue, `${this.#name}${(this.#pushes++).toString(36)}`);
    const session = this.#session;
    const stored = await settled<number[]>(
      () => this.#store(keys, args),
      (timeoutMs) => session.script(this.#wire.scripts.pushAgain, keys, args, timeoutMs),
      session.commandTimeoutMs,
      (cause) => unsettledPush(cause, jobs),
    );
    return isNew.map((asked) => (asked && stored.shift() === 1 ? 'stored' : 'already-there'));
  }

  async #store(keys: readonly string[], args: readonly (string | Buffer)[]): Promise<number[]> {
    const members = this.#wire.pushesPlainly ? membersDueNow(args) : undefined;
    if (members !== undefined && members.length > 0) {
      const [list = '', delayed = ''] = keys;
      const mark = keys.at(-1) as string;
      if ((await this.#session.script<number>(pushNowScript, [list, delayed, mark], members)) === 1) {
        return members.map(() => 1);
      }
    }
    return await this.#session.script(this.#wire.scripts.push, keys, args);
  }
}

/** The members, where they are all that there is to store. */
function membersDueNow(args: readonly (string | Buffer)[]): (string | Buffer)[] | undefined {
  const members: (string | Buffer)[] = [];
  for (let at = 0; at < args.length; at += 5) {
    const [id, when, member, bodyKey] = args.slice(at, at + 4);
    if (member === undefined || id !== '' || when !== '+0' || bodyKey !== '') return undefined;
    members.push(member);
  }
  return members;
}

/** What the scripts take, and which of the jobs they are asked for: an id that stands twice is pushed once. */
function argumentsOf(
  jobs: readonly NewJob[],
  { members, holdsIds }: RedisWire,
): { isNew: boolean[]; args: (string | Buffer)[] } {
  const ids = new Set<string>();
  const args: (string | Buffer)[] = [];
  const isNew = jobs.map((job) => {
    const { id, unique = false } = job;
    if (ids.has(id)) return false;
    ids.add(id);
    const { member, bodyKey, body } = members.stored(id, job.body);
    args.push(unique && holdsIds ? markableId(id) : '', whenOf(job), member, bodyKey, body);
    return true;
  });
  return { isNew, args };
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
