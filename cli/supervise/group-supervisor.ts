import { exitCodes } from '../exit-codes.js';
import { type Plan, type PlannedGroup, readPlan } from './group-plan.js';
import { Supervisor, type SupervisorOptions } from './supervisor.js';

/** How a supervisor tells what it does. */
export type Teller = Pick<SupervisorOptions, 'logger' | 'event'>;

/** Runs groups of worker processes, each as a supervisor of its own would, in one process. One run each. */
export class GroupSupervisor {
  readonly #words: readonly string[];
  readonly #teller: (group?: string) => Teller;
  #supervisors: readonly Supervisor[] = [];
  #stopping = false;
  #paused = false;

  /**
   * @param words of the command line, the command included.
   * @param teller tells what happens to a group, or to all.
   */
  constructor(words: readonly string[], teller: (group?: string) => Teller) {
    this.#words = words;
    this.#teller = teller;
  }

  /** Runs until it was told to stop, or one of the groups ended for good; answers the exit code. */
  async run(): Promise<number> {
    const plan = await readPlan(this.#words);
    if (this.#stopping) return exitCodes.done;
    if (typeof plan === 'number') return plan;
    this.#tellStart(plan);
    let firstPlace = 0;
    this.#supervisors = plan.groups.map((group) => {
      const supervisor = this.#supervisorOf(group, firstPlace, plan);
      firstPlace += group.workers;
      return supervisor;
    });
    if (this.#paused) this.pause();
    const codes = await Promise.all(this.#supervisors.map((one) => one.run()));
    return codes.find((code) => code !== exitCodes.done) ?? exitCodes.done;
  }

  /** Lets every process of every group end in order. */
  stop(why: string): void {
    this.#stopping = true;
    for (const one of this.#supervisors) one.stop(why);
  }

  /** Ends every process at once; its jobs come back when their leases lapse. */
  killAll(): void {
    for (const one of this.#supervisors) one.killAll();
  }

  pause(): void {
    this.#paused = true;
    for (const one of this.#supervisors) one.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const one of this.#supervisors) one.resume();
  }

  #supervisorOf({ name, workers }: PlannedGroup, firstPlace: number, plan: Plan): Supervisor {
    const { file, connection, metrics } = plan;
    const words = ['queue:work', `--group=${name}`];
    const values = {
      group: name,
      ...(file !== null && { config: file }),
      ...(connection !== null && { connection }),
      ...metrics,
      ...(this.#words.includes('--json') && { json: true }),
    };
    const stopAll = (why: string) => this.stop(`${why} (group ${name})`);
    return new Supervisor({
      words,
      values,
      workers,
      firstPlace,
      isGroup: true,
      stopAll,
      ...this.#teller(name),
    });
  }

  #tellStart({ file, groups }: Plan): void {
    const { logger, event } = this.#teller();
    event('supervisor:started', { pid: process.pid, config: file, groups });
    const list = groups.map(({ name, workers }) => `${name} (${workers})`).join(', ');
    logger.info({}, `groups of worker processes: ${list} (pid ${process.pid})`);
  }
}
