import { isAscii } from 'node:buffer';
import { type Lease, monotonicMs, type ReservedJob } from '../../src/index.js';
import type { RedisParts } from './connector.js';
import { memberOf, textOf } from './member.js';
import { nextJobScript } from './next-job-script.js';
import { longBody, nextLongScript } from './next-long-script.js';
import { nextScript } from './next-script.js';
import { isToken, jobByToken, jobOfPushed } from './pushed-member.js';
import { heldIn, placeText } from './reserved-batch.js';
import type { Reserved } from './reserver.js';

/** The beginning of the tokens, what became of the deletions, the sizes of the members, the members joined. */
type NextReply = 0 | [began: Buffer, held: Buffer, sizes: Buffer, texts: Buffer | Buffer[]];

/** The beginning of the tokens, what became of the deletions, the members. */
type NextLongReply = 0 | [began: Buffer, held: Buffer, members: Buffer[]];

/** The beginning of the token and the member; in a list where the lease of the one to delete was lost. */
type NextJobReply = 0 | Buffer | [Buffer];

/** How long the beginning of a token is. */
const beganLength = 14;

/** After it was of no use the whole script is taken for so long: what is in the way is not gone at once. */
const restMs = 20;

/** Reserves for a worker that got all that it asked for, from a queue that has more, by a short script. */
export class NextReserve {
  readonly #parts: Pick<RedisParts, 'keys' | 'session'>;
  /** Queues that gave all that was asked for, the last time. */
  readonly #plenty = new Set<string>();
  /** Those that gave long jobs, and how many characters a job had on average. */
  readonly #long = new Map<string, number>();
  #restsUntilMs = 0;

  constructor(parts: Pick<RedisParts, 'keys' | 'session'>) {
    this.#parts = parts;
  }

  /** Takes how a reserve went. */
  went(queues: readonly string[], limit: number, found: readonly ReservedJob[]): void {
    const [queue, another] = queues;
    if (queue === undefined || another !== undefined) return;
    if (found.length >= limit && limit > 0) this.#plenty.add(queue);
    else this.#plenty.delete(queue);
    if (found.some(({ body }) => body.length >= longBody)) this.#long.set(queue, averageLength(found));
    else this.#long.delete(queue);
  }

  /** How many characters a job has where long ones are worth a try without being asked for, else 0. */
  lengthOfMore(queue: string): number {
    return this.suits([], queue, 1) ? (this.#long.get(queue) ?? 0) : 0;
  }

  /** Whether it is worth a try, for a reserve of which nothing else is wanted. */
  suits(leases: readonly Lease[], queue: string, limit: number): boolean {
    return (
      limit > 0 &&
      this.#plenty.has(queue) &&
      leases.every((lease) => lease.queue === queue) &&
      monotonicMs() >= this.#restsUntilMs
    );
  }

  /** Deletes and reserves, or answers undefined with nothing done. */
  async reserve(
    leases: readonly Lease[],
    queue: string,
    limit: number,
    leaseMs: number,
    random: string,
  ): Promise<Reserved | undefined> {
    if (this.#long.has(queue) || leases.some(({ handle }) => isToken(handle))) {
      return await this.#reserveLong(leases, queue, limit, leaseMs, random);
    }
    if (limit === 1 && leases.length <= 1) return await this.#reserveOne(leases[0], queue, leaseMs, random);
    const { keys, session } = this.#parts;
    const args = argumentsFor(leases, limit, leaseMs, random);
    const reply = await session.script<NextReply>(nextScript, keys.ofQueue(queue).slice(0, 5), args);
    if (reply === 0) return this.#rest();
    const [began, held, sizes, texts] = reply.splice(0) as typeof reply; // the command keeps its answer
    const jobs = jobsOf(
      queue,
      began.toString('latin1'),
      random,
      sizes,
      Array.isArray(texts) ? texts : [texts],
    );
    return { held: heldIn(held, leases.length), jobs };
  }

  async #reserveLong(
    leases: readonly Lease[],
    queue: string,
    limit: number,
    leaseMs: number,
    random: string,
  ): Promise<Reserved | undefined> {
    const { keys, session } = this.#parts;
    const reply = await session.script<NextLongReply>(
      nextLongScript,
      keys.ofQueue(queue),
      argumentsFor(leases, limit, leaseMs, random),
    );
    if (reply === 0) return this.#rest();
    const [began, held, members] = reply.splice(0) as typeof reply;
    const start = began.toString('latin1');
    const jobs = members.map((member, place) =>
      jobByToken(queue, textOf(member), start + placeText(place) + random),
    );
    return { held: heldIn(held, leases.length), jobs };
  }

  async #reserveOne(
    lease: Lease | undefined,
    queue: string,
    leaseMs: number,
    random: string,
  ): Promise<Reserved | undefined> {
    const { keys, session } = this.#parts;
    const end = placeText(0) + random;
    const args: (string | number | Buffer)[] = [leaseMs, end];
    if (lease !== undefined) args.push(memberOf(lease.handle));
    const reply = await session.script<NextJobReply>(nextJobScript, keys.ofQueue(queue).slice(0, 5), args);
    if (reply === 0) return this.#rest();
    const isHeld = !Array.isArray(reply);
    const bytes = isHeld ? reply : reply[0];
    const token = bytes.toString('latin1', 0, beganLength) + end;
    const job = jobOfPushed(queue, textOf(bytes.subarray(beganLength)), token);
    return { held: lease === undefined ? [] : [isHeld], jobs: [job] };
  }

  #rest(): undefined {
    this.#restsUntilMs = monotonicMs() + restMs;
    return undefined;
  }
}

function averageLength(jobs: readonly ReservedJob[]): number {
  return jobs.reduce((sum, { body }) => sum + body.length, 0) / jobs.length;
}

/** Of the scripts for many. */
function argumentsFor(
  leases: readonly Lease[],
  ...what: [limit: number, leaseMs: number, random: string]
): (string | number | Buffer)[] {
  const args: (string | number | Buffer)[] = what;
  for (const { handle } of leases) args.push(memberOf(handle));
  return args;
}

function jobsOf(
  queue: string,
  began: string,
  random: string,
  sizes: Buffer,
  texts: readonly Buffer[],
): ReservedJob[] {
  const jobs: ReservedJob[] = [];
  for (const bytes of texts) {
    const isPlain = isAscii(bytes);
    let from = 0;
    while (from < bytes.length) {
      const to = from + sizes.readUInt32LE(jobs.length * 4);
      const member = isPlain ? bytes.toString('latin1', from, to) : textOf(bytes.subarray(from, to));
      jobs.push(jobOfPushed(queue, member, began + placeText(jobs.length) + random));
      from = to;
    }
  }
  return jobs;
}
