import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../src/logger.js';
import { monotonicMs } from '../../src/monotonic.js';
import { afterEnd } from './after-end.js';
import { diedOf, type Judgement, judge } from './judge.js';
import type { Begin, Left, Report } from './protocol.js';
import { type ProcessEnd, WorkerProcess } from './worker-process.js';

/** The first wait before a process is started again that ended without having worked; it doubles. */
const shortestRetryMs = 1000;
const longestRetryMs = 30_000;
/** A process that lived for less has not got anywhere either. */
const shortLifeMs = 1000;
/** Of so many jobs a supervisor remembers that they are suspects. */
const mostSuspects = 10_000;

/** What a supervisor works with. */
export interface SupervisorOptions {
  /** Of the command line that each process is started with. */
  readonly words: readonly string[];
  /** What they say. */
  readonly values: Begin['values'];
  readonly workers: number;
  /** The place of the first process among those of all groups. Default 0. */
  readonly firstPlace?: number;
  /** Whether it runs a group of the config, beside others. Default false. */
  readonly isGroup?: boolean;
  /** Started already, with nothing that another process left. */
  readonly first?: WorkerProcess;
  readonly logger: Logger;
  /** Told of what happens to processes: for `--json`. */
  event(name: string, fields: object): void;
  /** Stops all that ends when this supervisor does. Default: its own processes. */
  stopAll?(why: string): void;
}

/**
 * Keeps worker processes running: starts a fresh one for what died, and has it settle the jobs of the dead one before
 * it takes any itself. Knows no store, no config and no job. One run each.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #processes = new Set<WorkerProcess>();
  readonly #suspects = new Set<string>();
  readonly #giveUp = new AbortController();
  #first: WorkerProcess | undefined;
  #left: Left[] = [];
  #stopping = false;
  #paused = false;
  #everWorked = false;
  #failures = 0;
  #replaced = 0;
  #code = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#first = options.first;
  }

  /** Runs until it was told to stop, or its processes have ended for good; answers the exit code. */
  async run(): Promise<number> {
    const { workers, firstPlace = 0 } = this.#options;
    await Promise.all(Array.from({ length: workers }, (_, index) => this.#keepOne(firstPlace + index)));
    if (this.#left.length > 0) await this.#settleLast();
    return this.#code;
  }

  /** Lets every process end in order. */
  stop(why: string): void {
    this.#stopping = true;
    this.#giveUp.abort();
    for (const one of this.#processes) one.stop(why);
  }

  /** Ends every process at once; its jobs come back when their leases lapse. */
  killAll(): void {
    for (const one of this.#processes) one.kill();
  }

  pause(): void {
    this.#paused = true;
    for (const one of this.#processes) one.tell({ type: 'pause' });
  }

  resume(): void {
    this.#paused = false;
    for (const one of this.#processes) one.tell({ type: 'resume' });
  }

  /** One place for a process, with one after another in it. */
  async #keepOne(place: number): Promise<void> {
    for (;;) {
      const startedMs = monotonicMs();
      const end = await this.#runOne(false, place);
      const judgement = this.#judge(end);
      const { workers, isGroup = false } = this.#options;
      const state = { workers, isGroup, stopping: this.#stopping, everWorked: this.#everWorked };
      const next = afterEnd(end, state);
      this.#tell(end, judgement, next.action === 'replace');
      if (next.action === 'end') {
        this.#code = next.code;
        this.#stopAll(end.reason ?? 'another worker has ended');
      }
      if (next.action !== 'replace') return;
      this.#replaced += 1;
      const gotNowhere =
        !end.worked ||
        (monotonicMs() - startedMs < shortLifeMs && judgement.left.length === 0 && end.reason !== 'max-jobs');
      this.#failures = gotNowhere ? this.#failures + 1 : 0;
      if (gotNowhere) await this.#pause();
      if (this.#stopping) return;
    }
  }

  async #runOne(settleOnly: boolean, place = 0): Promise<ProcessEnd> {
    const left = this.#left;
    this.#left = [];
    const one = this.#first ?? this.#start({ left, suspects: [...this.#suspects], settleOnly, place });
    this.#first = undefined;
    this.#processes.add(one);
    one.listen((report) => this.#hear(report));
    if (this.#paused) one.tell({ type: 'pause' });
    const end = await one.ended;
    this.#processes.delete(one);
    if (!end.worked) this.#left.push(...left);
    return end;
  }

  #start(beginning: Omit<Begin, 'values'>): WorkerProcess {
    const { words, values } = this.#options;
    const started = WorkerProcess.start(words);
    started.begin({ values, ...beginning });
    return started;
  }

  /** Somebody must settle what the last processes left, though none shall work any more. */
  async #settleLast(): Promise<void> {
    const { logger } = this.#options;
    const jobs = this.#left.length;
    const end = await this.#runOne(true);
    if (!end.worked) logger.error({ jobs }, 'could not settle what was left; its leases must lapse');
  }

  #judge(end: ProcessEnd): Judgement {
    // One that reported why it stopped has let its jobs end, or was out of patience with them.
    const blameless = end.reason !== undefined || (this.#stopping && end.evidence === undefined);
    const judgement = judge({ ...end, blameless }, end.evidence, end.journal, this.#suspects);
    this.#left.push(...judgement.left);
    for (const name of judgement.suspects) this.#suspects.add(name);
    for (const name of this.#suspects) {
      if (this.#suspects.size <= mostSuspects) break;
      this.#suspects.delete(name);
    }
    if (judgement.suspects.length > 0) this.#tellSuspects();
    return judgement;
  }

  #stopAll(why: string): void {
    const { stopAll } = this.#options;
    if (stopAll === undefined) this.stop(why);
    else stopAll(why);
  }

  #tellSuspects(): void {
    for (const one of this.#processes) one.tell({ type: 'suspects', suspects: [...this.#suspects] });
  }

  #hear(report: Report): void {
    if (report.type === 'working') this.#everWorked = true;
    if (report.type === 'output-gone') this.#stopAll('nobody reads the output any longer');
    if (report.type === 'cleared' && this.#suspects.delete(report.suspect)) this.#tellSuspects();
  }

  #tell(end: ProcessEnd, { charged, suspects }: Judgement, isReplaced: boolean): void {
    const { event, logger } = this.#options;
    const { pid, code, signal } = end;
    const reason = end.reason ?? (end.evidence ? end.evidence.kind : 'died');
    if (end.reason === undefined && (end.worked || signal !== null)) {
      event('worker:stopped', { pid, reason, code, signal, suspects });
      for (const { message } of charged) logger.error({ worker: pid }, message);
      if (charged.length === 0 || suspects.length > 0) {
        const jobs = suspects.length > 0 ? { suspects } : {};
        logger.error({ worker: pid, ...jobs }, diedOf(end, end.evidence, suspects.length));
      }
    }
    if (!isReplaced) return;
    event('worker:replaced', { pid, reason, replaced: this.#replaced + 1 });
    logger.info({ worker: pid, reason }, 'a new worker takes its place');
  }

  async #pause(): Promise<void> {
    const waitMs = Math.min(shortestRetryMs * 2 ** (this.#failures - 1), longestRetryMs);
    this.#options.logger.warn({ waitMs }, 'the last worker ended soon after its start');
    try {
      await sleep(waitMs, undefined, { signal: this.#giveUp.signal });
    } catch {
      // Told to stop meanwhile.
    }
  }
}
