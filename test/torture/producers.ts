import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { endWithin } from './processes.js';
import type { Profile } from './profile.js';
import { bareQueue, lineQueue, type Project, queues } from './project.js';

/** What a producer has to end in once it pushes no more, whatever its store does. */
const endsWithinMs = 60_000;

/** Scripts that push by the public API, each in a process of its own. */
export class Producers {
  readonly #project: Project;
  readonly #running = new Set<ChildProcess>();

  constructor(project: Project) {
    this.#project = project;
  }

  /** The jobs that are there before anything is broken, as fast as answers come. */
  async pushInLine({ quiet }: Profile): Promise<void> {
    const rate = 2000;
    await this.#run('line', rate, quiet / rate, [lineQueue]);
  }

  /** All that is pushed for so long. */
  async push(profile: Profile, seconds: number): Promise<void> {
    const all = Array.from({ length: profile.producers }, (_, index) =>
      this.#run(`p${index}`, profile.rate, seconds, queues),
    );
    const others = [
      this.#run('inline', 5, seconds, [lineQueue]),
      this.#run('bare', profile.bareRate, seconds, [bareQueue]),
    ];
    await Promise.all([...all, ...others]);
  }

  /** Ends those that run, at once. */
  kill(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }

  async #run(name: string, rate: number, seconds: number, to: readonly string[]): Promise<void> {
    const errors = openSync(this.#project.path(`output/producer-${name}.err`), 'a');
    const words = ['producer.mjs', name, String(rate), String(seconds), ...to];
    const stdio = ['ignore', 'ignore', errors] as const;
    const child = spawn(process.execPath, words, { cwd: this.#project.folder, stdio: [...stdio] });
    this.#running.add(child);
    const code = await endWithin(child, seconds * 1000 + endsWithinMs);
    this.#running.delete(child);
    const how = code === undefined ? 'did not end' : `ended with ${code}`;
    if (code !== 0) writeSync(errors, `\nunhandled: the producer ${how}\n`);
    closeSync(errors);
  }
}
