import type { Queue } from '../../src/index.js';

/** A worker of another program, one job at a time. */
export interface OtherWorker {
  /** Answers the id of a job that it took and deleted, null where it found none. */
  workOne(): Promise<string | null>;
}

/**
 * Lets two workers of drover and the others, which begin with a job each, empty a queue together; answers the ids that the
 * others had.
 *
 * @param left how many jobs are stored, in whatever state.
 */
export async function workTogether(
  queue: Queue,
  others: readonly OtherWorker[],
  left: () => Promise<number>,
): Promise<string[]> {
  const taken: string[] = [];
  const drain = async (other: OtherWorker): Promise<void> => {
    // A move that another client disturbed is off, and the list may be empty until the next one.
    for (;;) {
      const id = await other.workOne();
      if (id !== null) taken.push(id);
      else if ((await left()) === 0) return;
    }
  };
  const takeOne = async (other: OtherWorker): Promise<void> => {
    let id = await other.workOne();
    while (id === null) id = await other.workOne();
    taken.push(id);
  };
  // On a busy machine drover may be through with all before the others had a turn.
  await Promise.all(others.map(takeOne));
  const ours = () => queue.worker({ stopWhenEmpty: true, concurrency: 5, sleep: '10ms' }).run();
  await Promise.all([ours(), ours(), ...others.map(drain)]);
  return taken;
}
