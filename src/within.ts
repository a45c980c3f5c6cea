/**
 * The promise's result, or the error of `late` once the time is over. What comes after that is dropped.
 *
 * A timer that runs late was held up by a blocked event loop. What it was late by is given again, as the answer may have
 * come meanwhile, unread.
 *
 * @param late is called when the time is over, and answers what to reject with.
 */
export async function within<T>(promise: Promise<T>, ms: number, late: () => unknown): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const end = (): void => reject(late());
    const untilMs = performance.now() + ms;
    timer = setTimeout(() => {
      timer = setTimeout(end, Math.min(ms, performance.now() - untilMs));
    }, ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a promise, for at most so many ms: then whoever waits goes on without it. Rejects if it does in time. */
export async function waitAtMost(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([promise, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
