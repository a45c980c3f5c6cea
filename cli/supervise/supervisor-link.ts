import { SHARE_ENV, Worker as Thread } from 'node:worker_threads';
import { type Logger, QueueError } from '../../src/index.js';
import type { LeftJob } from '../../src/left-jobs.js';
import { monotonicMs } from '../../src/monotonic.js';
import { watchdogFile } from '../own-files.js';
import { boardFd, writeEvidence } from './board.js';
import { JournalWriter } from './journal-writer.js';
import type { Orders } from './orders.js';
import type { Begin, Left, Order, Report } from './protocol.js';
import { slotIn } from './stack.js';
import { Steps } from './steps.js';
import { SupervisedWatch } from './supervised-watch.js';
import { lookMs, type WatchdogData } from './watchdog-data.js';

/** How much longer than it may take to stop a process lives without its supervisor, in ms. */
const orphanSlackMs = 1000;

/** The limits that a worker process tells its supervisor and its watchdog. */
export interface StopLimitsMs {
  readonly graceMs: number;
  readonly shutdownTimeoutMs: number;
}

/** What the orders of the supervisor do to a worker. */
export interface Obeys {
  stop(why: string): void;
  pause(): void;
  resume(): void;
}

/** A worker process's side of the supervision. One a process. */
export class SupervisorLink {
  readonly watch: SupervisedWatch;
  readonly begin: Begin;
  readonly #orders: Orders;
  readonly #limits = new Float64Array(new SharedArrayBuffer(16)).fill(Number.POSITIVE_INFINITY);
  readonly #steps = new Steps();
  readonly #logger: Logger;

  constructor(
    { orders, begin }: { readonly orders: Orders; readonly begin: Begin },
    concurrency: number,
    logger: Logger,
  ) {
    this.#orders = orders;
    this.begin = begin;
    this.#logger = logger;
    const journal = new JournalWriter(boardFd, this.#steps, (err) => {
      logger.error({ err }, 'could not write the journal: if this process dies, leases must lapse');
    });
    this.watch = new SupervisedWatch(journal, {
      naming: concurrency > 1,
      onFirstStart: () => this.#startWatchdog(),
      onCleared: (suspect) => void this.report({ type: 'cleared', suspect }),
    });
    this.watch.suspect(begin.suspects);
    this.#nameExits();
  }

  /** Lets the orders of the supervisor reach a worker. One that is lost is an order to stop. */
  obey(worker: Obeys): void {
    this.#orders.listen(
      (order) => this.#obey(order, worker),
      () => worker.stop('the supervisor is gone'),
    );
  }

  /** Tells the supervisor and the watchdog how long this process may take to stop. */
  working({ graceMs, shutdownTimeoutMs }: StopLimitsMs): void {
    this.#limits[0] = graceMs;
    this.#limits[1] = shutdownTimeoutMs + graceMs + orphanSlackMs;
    void this.report({ type: 'working', graceMs, shutdownTimeoutMs });
  }

  /** The last word of a process that ends in order. */
  async stopped(reason: string): Promise<void> {
    this.watch.flush();
    await this.report({ type: 'stopped', reason });
  }

  /** Resolves when the report is on its way, or the supervisor is gone. */
  report(report: Report): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected) process.send?.(report, () => resolve());
      else resolve();
    });
  }

  #obey(order: Exclude<Order, { type: 'begin' }>, worker: Obeys): void {
    if (order.type === 'stop') worker.stop(order.why);
    else if (order.type === 'pause') worker.pause();
    else if (order.type === 'resume') worker.resume();
    else if (order.type === 'suspects') this.watch.suspect(order.suspects);
    else void this.report({ type: 'pong' });
  }

  /** Not before the first handler: until then there is nothing to watch, and much else to load. */
  #startWatchdog(): void {
    const beats = new Int32Array(new SharedArrayBuffer(4));
    const workerData: WatchdogData = {
      beats,
      limits: this.#limits,
      steps: this.#steps.memory,
      supervisorPid: process.ppid,
    };
    const thread = new Thread(watchdogFile, {
      workerData,
      execArgv: [],
      env: SHARE_ENV, // which it does not read: a copy would cost time
      stdout: true, // as it writes nothing: streams to this process's own would cost time too
      stderr: true,
    });
    thread.on('error', (err) => {
      this.#steps.isWatched = false;
      this.#logger.error({ err }, 'the watchdog died: nothing ends a blocked loop');
    });
    thread.unref();
    setInterval(() => Atomics.add(beats, 0, 1), lookMs).unref();
  }

  /** A handler that ends the process is found out, whatever exit code it chose. */
  #nameExits(): void {
    const { abort, exit } = process;
    process.abort = () => {
      this.watch.flush();
      return abort.call(process);
    };
    process.exit = (code) => {
      this.watch.flush();
      if (this.watch.running > 0) {
        const stack = String(new Error().stack);
        const status = Number(code ?? process.exitCode ?? 0);
        writeEvidence(boardFd, {
          kind: 'exit',
          slot: slotIn(stack),
          stack,
          code: status,
          atMs: monotonicMs(),
        });
      }
      return exit.call(process, code);
    };
  }
}

/** The jobs of a dead process with their verdicts, as the core settles them. */
export function leftJobs(left: readonly Left[]): LeftJob[] {
  return left.map(({ verdict, ...job }) => {
    if (verdict.action !== 'charge') return { ...job, verdict };
    const { action, reason, message, stack } = verdict;
    const error = new QueueError(reason === 'timed-out' ? 'E_TIMEOUT' : 'E_CRASHED', message);
    error.stack = `${error.name}: ${message}\n${stack}`;
    return { ...job, verdict: { action, reason, error } };
  });
}
