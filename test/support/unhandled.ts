/**
 * What nobody handled of the promises that rejected during a run. In a worker the first of them would end
 * the process, so the runner's own listeners are set aside for as long as it takes.
 */
export async function unhandledDuring(run: () => Promise<unknown>): Promise<unknown[]> {
  const ordinary = process.listeners('unhandledRejection');
  const unhandled: unknown[] = [];
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => unhandled.push(reason));
  try {
    await run();
    // Node tells of them after the microtasks of a turn.
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of ordinary) process.on('unhandledRejection', listener);
  }
  return unhandled;
}
