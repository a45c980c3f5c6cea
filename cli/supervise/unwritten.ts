import { watchdogStart } from './board.js';
import { Frame } from './frame.js';
import type { Steps } from './steps.js';

/** Writes down what a blocked thread has not: which of the jobs that it announced have started. */
export function writeUnwritten(fd: number, steps: Steps): void {
  const unwritten = steps.takeStill();
  if (!unwritten) return; // the thread goes on
  const frame = new Frame();
  frame.numbers(unwritten.numbers);
  frame.writeTo(fd, watchdogStart, unwritten.serial);
}
