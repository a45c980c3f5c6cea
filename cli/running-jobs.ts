import { endsAttempt } from '../src/events.js';
import type { Queue } from '../src/index.js';

/** The jobs that run in this process now. */
export class RunningJobs {
  readonly #ids = new Set<string>();

  constructor(events: Queue['events']) {
    events.on('job:*', (event) => {
      if (event.event === 'job:started') this.#ids.add(event.id);
      else if (endsAttempt(event)) this.#ids.delete(event.id);
    });
  }

  get ids(): readonly string[] {
    return [...this.#ids];
  }

  /** Such as `2 running jobs`. */
  get text(): string {
    const count = this.#ids.size;
    return `${count} running ${count === 1 ? 'job' : 'jobs'}`;
  }
}
