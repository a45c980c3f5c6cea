/** The longest time that a timer of Node can wait, in ms; a longer one would fire at once. */
const longestMs = 2_147_483_647;

/** Calls back once, after any length of time. Answers how to call it off. */
export function startTimer(ms: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number) => {
    timer =
      leftMs > longestMs
        ? setTimeout(() => wait(leftMs - longestMs), longestMs)
        : setTimeout(callback, leftMs);
  };
  wait(ms);
  return () => clearTimeout(timer);
}
