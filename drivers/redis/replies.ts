import type { Lease, QueueSize } from '../../src/index.js';

/** What the scripts that count answer: ready, delayed, reserved. */
export function sizeOf([ready = 0, delayed = 0, reserved = 0]: readonly number[]): QueueSize {
  return { ready, delayed, reserved };
}

/**
 * Gives jobs back to the end that is taken from: the first to come again is put there last. Tokens tell the order.
 *
 * @param giveBack answers for each lease in the order that it gets them.
 */
export async function inTurn(
  leases: readonly Lease[],
  giveBack: (leases: readonly Lease[]) => Promise<boolean[]>,
): Promise<boolean[]> {
  const order = leases.map((lease, index) => ({ lease, index }));
  order.sort((a, b) => (a.lease.token < b.lease.token ? 1 : -1));
  const held = await giveBack(order.map(({ lease }) => lease));
  const answers = new Array<boolean>(leases.length);
  for (const [at, { index }] of order.entries()) answers[index] = held[at] ?? false;
  return answers;
}
