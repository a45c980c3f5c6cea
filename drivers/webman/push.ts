import { randomBytes } from 'node:crypto';
import type { Clock, NewJob, PushOutcome } from '../../src/index.js';
import type { Commands } from '../redis/commands.js';
import { settled } from '../redis/lost-reply.js';
import { unsettledPush } from '../redis/push.js';
import type { Keys } from './keys.js';
import { newMember } from './member.js';
import { pushScript } from './queue-scripts.js';

/**
 * Stores packages. Each call leaves a mark for a while, so that one whose answer was lost is repeated without storing
 * anything twice, and a first try that arrives late does nothing.
 */
export class Pusher {
  readonly #session: Commands;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #name = randomBytes(9).toString('base64url');
  #pushes = 0;

  constructor(session: Commands, keys: Keys, clock: Clock) {
    this.#session = session;
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * The connector's `push`.
   *
   * @throws QueueError `E_UNSUPPORTED` for a package of another queue; `ambiguous`, with the `ids` of the jobs, where the
   * outcome was not settled within a second command timeout.
   */
  async push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const { isNew, args } = this.#argumentsOf(queue, jobs);
    const session = this.#session;
    const keys = [...this.#keys.all, this.#keys.markOf(`${this.#name}${(this.#pushes++).toString(36)}`)];
    // Longer than the call, its repeats, and what may still be on its way then.
    const keptSeconds = Math.ceil((session.commandTimeoutMs * 3) / 1000) + 5;
    const store = (timeoutMs?: number) =>
      session.script<number[]>(pushScript, keys, [queue, keptSeconds, ...args], timeoutMs);
    const stored = await settled(
      () => store(),
      store,
      session.commandTimeoutMs,
      (cause) => unsettledPush(cause, jobs),
    );
    return isNew.map((asked) => (asked && stored.shift() === 1 ? 'stored' : 'already-there'));
  }

  /** What the script takes, and which of the jobs it is asked for: an id that stands twice is pushed once. */
  #argumentsOf(queue: string, jobs: readonly NewJob[]): { isNew: boolean[]; args: string[] } {
    const nowMs = this.#clock.now();
    const ids = new Set<string>();
    const args: string[] = [];
    const isNew = jobs.map(({ id, body, delayMs = 0, availableAtMs, unique = false }) => {
      if (ids.has(id)) return false;
      ids.add(id);
      const waitMs = availableAtMs === undefined ? delayMs : Math.max(0, availableAtMs - nowMs);
      const times = { time: Math.floor(nowMs / 1000), delay: Math.ceil(waitMs / 1000) };
      const when = availableAtMs === undefined ? `+${delayMs}` : String(Math.max(0, availableAtMs));
      args.push(unique ? id : '', when, newMember(id, body, queue, times));
      return true;
    });
    return { isNew, args };
  }
}
