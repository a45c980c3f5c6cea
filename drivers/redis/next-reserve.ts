import { isAscii } from 'node:buffer';
import type { Lease, ReservedJob } from '../../src/index.js';
import type { RedisParts } from './connector.js';
import { memberOf, readPushed, textOf } from './member.js';
import { nextScript } from './next-script.js';
import { heldIn, placeText } from './reserved-batch.js';
import type { Reserved } from './reserver.js';

/** The beginning of the tokens, what became of the deletions, the sizes of the members, the members joined. */
type NextReply = 0 | [began: Buffer, held: Buffer, sizes: Buffer, texts: Buffer | Buffer[]];

/** After it was of no use the whole script is taken for so long: what is in the way is not gone at once. */
const restMs = 20;

/** Reserves for a worker that got all that it asked for, from a queue that has more, by a short script. */
export class NextReserve {
  readonly #parts: Pick<RedisParts, 'keys' | 'session'>;
  /** Queues that gave all that was asked for, the last time. */
  readonly #plenty = new Set<string>();
  #restsUntilMs = 0;

  constructor(parts: Pick<RedisParts, 'keys' | 'session'>) {
    this.#parts = parts;
  }

  /** Takes how a reserve went. */
  went(queues: readonly string[], limit: number, found: number): void {
    const [queue, another] = queues;
    if (queue === undefined || another !== undefined) return;
    if (found >= limit && limit > 0) this.#plenty.add(queue);
    else this.#plenty.delete(queue);
  }

  /** Whether it is worth a try, for a reserve of which nothing else is wanted. */
  suits(leases: readonly Lease[], queue: string, limit: number): boolean {
    return (
      limit > 0 &&
      this.#plenty.has(queue) &&
      leases.every((lease) => lease.queue === queue) &&
      performance.now() >= this.#restsUntilMs
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
    const { keys, session } = this.#parts;
    const args: (string | number | Buffer)[] = [limit, leaseMs, random];
    for (const { handle } of leases) args.push(memberOf(handle));
    const reply = await session.script<NextReply>(nextScript, keys.ofQueue(queue).slice(0, 5), args);
    if (reply === 0) {
      this.#restsUntilMs = performance.now() + restMs;
      return undefined;
    }
    const [began, held, sizes, texts] = reply;
    const jobs = jobsOf(
      queue,
      began.toString('latin1'),
      random,
      sizes,
      Array.isArray(texts) ? texts : [texts],
    );
    return { held: heldIn(held, leases.length), jobs };
  }
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
      const token = began + placeText(jobs.length) + random;
      const { handle, ...read } = readPushed(member, token);
      jobs.push({ queue, ...read, lease: { queue, token, handle } });
      from = to;
    }
  }
  return jobs;
}
