import type { Logger, Queue } from '../src/index.js';
import type { Output } from './output.js';

/**
 * Tells what a worker does between its start and its end: each event as an object, or in the log. That it falls idle
 * is said there with `DROVER_DEBUG=1` only, as it comes after each burst of jobs; who paused it, and how it goes on, is
 * said by who does it.
 */
export function reportWorker(events: Queue['events'], output: Output, logger: Logger): void {
  events.on('worker:*', (event) => {
    if (event.event === 'worker:started' || event.event === 'worker:stopped') return; // told with more, elsewhere
    if (output.json) output.object({ time: new Date().toISOString(), ...event });
    else if (event.event === 'worker:idle') logger.debug({}, 'idle: waits for jobs');
  });
}
