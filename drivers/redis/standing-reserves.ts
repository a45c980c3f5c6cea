import { monotonicMs, type ReservedJob } from '../../src/index.js';
import type { RedisParts } from './connector.js';
import type { FollowUp } from './ear.js';
import { type EarlyReserve, isOld } from './early-reserve.js';
import { textOf } from './member.js';
import { tokenLength } from './pushed-member.js';
import { randomDigits } from './random-digits.js';
import { jobOf } from './reserved-batch.js';
import { takeScript } from './take-script.js';

/** How long the answer of one that has run is waited for at most: it is on its way, unless its connection is dead. */
const mostAwaitedMs = 1000;

/** Tokens and members, and whether the worker has all that it can take; of one short job in one text: '1' or '0', token, member. */
type TakeReply = [found: Buffer[], isFull: number] | Buffer;

/** A reserve that was sent behind the command that waits. */
interface Standing {
  readonly number: number;
  readonly queue: string;
  readonly leaseMs: number;
  /** When it was sent. */
  readonly sinceMs: number;
  isAnswered: boolean;
  /** A reserve that the server carried out after this one was answered before it. */
  isOvertaken: boolean;
  /** Gives the jobs to who waits for the answer; absent where nobody does. */
  tell?(jobs: ReservedJob[]): void;
}

/** What {@link StandingReserves} work with. */
export interface StandingReservesOptions {
  readonly parts: Pick<RedisParts, 'keys' | 'wire'>;
  readonly early: EarlyReserve;
  /** Names this connector to the others. */
  readonly id: string;
  /** Told that a worker got all that it could take, and that this connector so watches the queue no more. */
  filled(queue: string): void;
}

/**
 * Reserves that stand in the server, each behind the command that waits for a job, and run when that one ends.
 *
 * Their answers come in another connection than those of all other reserves, so that one may be read after the answer
 * to a later reserve. That one tells that it is the later: what was taken before then comes before what it brings.
 */
export class StandingReserves {
  readonly #options: StandingReservesOptions;
  /** The last one of each queue. */
  readonly #last = new Map<string, Standing>();
  #count = 0;

  constructor(options: StandingReservesOptions) {
    this.#options = options;
  }

  /** One for who waits for the queue; none where the short script can tell nothing of it. */
  next(queue: string): FollowUp | undefined {
    const { parts, early, id } = this.#options;
    const asked = early.wanted([queue]);
    if (asked === undefined || !parts.wire.pushesPlainly) return undefined;
    const { limit, leaseMs } = asked;
    const [list = '', , reserved = '', , , , watcher = ''] = parts.keys.ofQueue(queue);
    const number = ++this.#count;
    const sinceMs = monotonicMs();
    const standing: Standing = { number, queue, leaseMs, sinceMs, isAnswered: false, isOvertaken: false };
    this.#last.set(queue, standing);
    return {
      script: takeScript,
      keys: [list, reserved, watcher],
      args: [limit, leaseMs, randomDigits(), id, number],
      withinMs: leaseMs / 4,
      answered: (answer) => this.#answered(standing, answer as TakeReply | undefined),
    };
  }

  /**
   * Takes from a reserve that this one had taken jobs when the server carried out that reserve. Answers whether they may
   * be among the early ones, or are on their way there.
   */
  ranBefore(queue: string, number: number): boolean {
    const { early } = this.#options;
    const standing = this.#last.get(queue);
    if (standing?.number !== number) return false;
    if (!standing.isAnswered && !early.has([queue])) {
      standing.isOvertaken = true;
      early.taken([queue], standing.leaseMs, answerOf(standing), standing.sinceMs);
    }
    return true;
  }

  #answered(standing: Standing, reply: TakeReply = nothing): boolean {
    const { early, filled } = this.#options;
    const { queue, leaseMs, sinceMs, tell, isOvertaken } = standing;
    standing.isAnswered = true;
    const isInOne = Buffer.isBuffer(reply);
    const isFull = isInOne ? reply[0] === digitOne : reply[1] === 1;
    if (isFull && !isOvertaken) filled(queue);
    const jobs = isInOne
      ? [this.#jobOf(queue, tokenOf(reply, 1), reply.subarray(1 + tokenLength))]
      : this.#jobsOf(queue, reply[0]);
    const late = isOld(standing);
    if (late) void early.giveBack(jobs);
    if (tell) tell(late ? [] : jobs);
    else if (!late && jobs.length > 0) early.taken([queue], leaseMs, Promise.resolve(jobs), sinceMs);
    return jobs.length > 0;
  }

  #jobsOf(queue: string, found: readonly Buffer[]): ReservedJob[] {
    const jobs: ReservedJob[] = [];
    for (let at = 0; at < found.length; at += 2) {
      jobs.push(this.#jobOf(queue, tokenOf(found[at] as Buffer), found[at + 1] as Buffer));
    }
    return jobs;
  }

  #jobOf(queue: string, token: string, member: Buffer): ReservedJob {
    return jobOf(queue, token, textOf(member), undefined, this.#options.parts.wire.members);
  }
}

const nothing: TakeReply = [[], 0];
const digitOne = 0x31;

function tokenOf(bytes: Buffer, from = 0): string {
  return bytes.toString('latin1', from, from + tokenLength);
}

/** Never rejects. */
function answerOf(standing: Standing): Promise<ReservedJob[]> {
  return new Promise((resolve) => {
    const settle = (jobs: ReservedJob[]): void => {
      clearTimeout(timer);
      delete standing.tell; // what comes later is taken as if nobody had waited
      resolve(jobs);
    };
    const timer = setTimeout(settle, Math.min(mostAwaitedMs, standing.leaseMs / 4), []);
    standing.tell = settle;
  });
}
