import { randomBytes } from 'node:crypto';
import { type NewJob, type PushOutcome, QueueError } from '../../src/index.js';
import { asArgument } from './argument.js';
import type { Commands } from './commands.js';
import type { Keys } from './keys.js';
import { settled } from './lost-reply.js';
import { markableId } from './member.js';
import { pushNowScript } from './push-scripts.js';
import { harmlessCommands, pushParts, suitsTransaction } from './push-transaction.js';
import type { Script } from './script.js';
import type { RedisWire } from './wire.js';

/** Of one argument with several members. */
const mostCharacters = 100_000;

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
  push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const push = this.#begun(queue, jobs);
    const members = this.#wire.pushesPlainly ? membersDueNow(push.asked, this.#wire) : undefined;
    if (members === undefined || members.length === 0) return this.#settle(push, () => this.#whole(push));
    // Nearly all pushes end with its answer: what else there may be to do is made once it is to be done.
    return this.#now(push, members).then(
      (answer) => (answer === 1 ? outcomesOf(push, undefined) : this.#settle(push, () => this.#whole(push))),
      (error: unknown) => this.#settle(push, () => Promise.reject(error)),
    );
  }

  /** Answers 1, or 0 where nothing was stored. */
  #now(push: Push, members: readonly string[]): Promise<number> {
    const { list, delayed, mark } = push;
    const byScript = (): Promise<number> =>
      this.#session.script<number>(pushNowScript, [list, delayed, mark], membersIn(members));
    if (!suitsTransaction(members)) return byScript();
    return this.#session.transaction({
      parts: () => pushParts(push, members),
      harmless: () => harmlessCommands(push),
      otherwise: byScript,
    });
  }

  #begun(queue: string, jobs: readonly NewJob[]): Push {
    const isNew = jobs.length > 1 ? areFirst(jobs) : undefined;
    const asked = isNew ? jobs.filter((_, index) => isNew[index]) : jobs;
    const [list = '', delayed = ''] = this.#keys.ofQueue(queue);
    const mark = this.#keys.markOf(queue, `${this.#name}${(this.#pushes++).toString(36)}`);
    return { queue, jobs, isNew, asked, list, delayed, mark, args: undefined };
  }

  /** Makes a call, and settles it where its answer was lost. */
  async #settle(push: Push, call: () => Promise<number[]>): Promise<PushOutcome[]> {
    const { commandTimeoutMs } = this.#session;
    const again = (timeoutMs: number) => this.#run(this.#wire.scripts.pushAgain, push, timeoutMs);
    const stored = await settled(call, again, commandTimeoutMs, (cause) => unsettledPush(cause, push.jobs));
    return outcomesOf(push, stored);
  }

  /** By the script that knows all that a push may ask for. */
  #whole(push: Push): Promise<number[]> {
    return this.#run(this.#wire.scripts.push, push);
  }

  #run(script: Script, push: Push, timeoutMs?: number): Promise<number[]> {
    // The same ones for each try: they may have been stored.
    push.args ??= argumentsOf(push.asked, this.#wire);
    const keys = [...this.#keys.ofQueue(push.queue), push.mark];
    return this.#session.script<number[]>(script, keys, push.args, timeoutMs);
  }
}

/** A push under way. */
interface Push {
  readonly queue: string;
  readonly jobs: readonly NewJob[];
  /** Which of the jobs are asked for, where not all are. */
  readonly isNew: readonly boolean[] | undefined;
  readonly asked: readonly NewJob[];
  readonly list: string;
  readonly delayed: string;
  readonly mark: string;
  /** What the whole scripts take, once it was made. */
  args: readonly (string | Buffer)[] | undefined;
}

/** @param stored what the whole scripts answer: 1 or 0 for each job that was asked for. Default: all were stored. */
function outcomesOf({ jobs, isNew }: Push, stored: readonly number[] | undefined): PushOutcome[] {
  const outcomes: PushOutcome[] = [];
  let at = 0;
  for (let index = 0; index < jobs.length; index++) {
    const isAsked = isNew?.[index] !== false;
    const isStored = isAsked && (stored === undefined || stored[at++] === 1);
    outcomes.push(isStored ? 'stored' : 'already-there');
  }
  return outcomes;
}

/** Which of the jobs are asked for: an id that stands twice is pushed once. */
function areFirst(jobs: readonly NewJob[]): boolean[] | undefined {
  if (areRising(jobs)) return undefined;
  const ids = new Set<string>();
  for (const { id } of jobs) ids.add(id);
  if (ids.size === jobs.length) return undefined;
  return jobs.map(({ id }) => ids.delete(id));
}

/** As those that are made here do, so that most lists need no more than this. */
function areRising(jobs: readonly NewJob[]): boolean {
  let last = '';
  for (const { id } of jobs) {
    if (id <= last) return false;
    last = id;
  }
  return true;
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

/** What the script of most pushes takes: a member alone, or how many there are and the lines that they make. */
function membersIn(members: readonly string[]): readonly (string | Buffer)[] {
  const [only = ''] = members;
  return members.length === 1 ? [asArgument(only)] : [String(members.length), ...parcels(members)];
}

/** Lines, as many characters as one argument shall have: each argument has a cost, and a large one must be found room for. */
function parcels(members: readonly string[]): (string | Buffer)[] {
  const found: (string | Buffer)[] = [];
  let from = 0;
  let characters = 0;
  for (let index = 0; index < members.length; index++) {
    const { length } = members[index] as string;
    if (characters + length > mostCharacters && index > from) {
      found.push(asArgument(members.slice(from, index).join('\n')));
      from = index;
      characters = 0;
    }
    characters += length;
  }
  found.push(asArgument(members.slice(from).join('\n')));
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
