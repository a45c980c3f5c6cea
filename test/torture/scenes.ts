import { setTimeout as wait } from 'node:timers/promises';
import type { Crew } from './crew.js';
import type { LastLines } from './last-lines.js';
import { childrenOf, signal as send } from './processes.js';
import { nowMs, type Record } from './record.js';

/** How long a process is waited for that comes to what is planned. */
const waitsMs = 10_000;
/** How long workers may take to end when they are asked to. */
export const orderlyMs = 4000;
/** Within that of its last throw a worker is killed: it records the failure and deletes the job. */
const failingMs = 100;

/** What {@link Scenes} are played with. */
interface Means {
  readonly crew: Crew;
  readonly record: Record;
  readonly lines: LastLines;
  readonly leaseMs: number;
  /** False while a process holds a lock that keeps all others out: it is not to stand still then. */
  isFree(): boolean;
  /** Ends it: what stands still goes on. */
  readonly signal: AbortSignal;
}

/** Faults at moments that chance seldom meets: each waits until the ledger of a process says that it has come. */
export class Scenes {
  /** Processes that play in one: nothing else is to happen to them. */
  readonly #spared = new Set<number>();
  readonly #means: Means;

  constructor(means: Means) {
    this.#means = means;
  }

  /** Whether nothing is to happen to it, at present or at all. */
  isSpared(pid: number): boolean {
    return this.#spared.has(pid) || this.#means.crew.isSafe(pid);
  }

  /** A worker process dies as it calls a handler. */
  async killAsItStarts(): Promise<void> {
    this.#kill(await this.#worker(/"ev":"started"/), 'kill as a handler starts');
  }

  /** It dies as a handler has ended: before the job is deleted, or after that, or as the next one is taken. */
  async killAsItEnds(): Promise<void> {
    this.#kill(await this.#worker(/"ev":"(?:finished|threw)"/), 'kill as a handler ends');
  }

  /** It dies after the last attempt of a job: before its failure is recorded, or between that and the deletion, or after. */
  async killAsItFails(luck: number): Promise<void> {
    const pid = await this.#worker(/"ev":"threw".*"isLast":true/);
    if (pid === undefined) return;
    await this.#sleep(luck * failingMs);
    this.#kill(pid, 'kill as a job fails');
  }

  /** A command is asked to stop while a job runs in it that takes longer than the stop may: it has to be given back. */
  async termAsItRuns(): Promise<void> {
    const { crew, record } = this.#means;
    const pid = await this.#worker(/"ev":"started".*"kind":"long"/);
    const command = pid === undefined ? undefined : this.#commandOf(pid);
    if (command === undefined || this.#spared.has(command)) return;
    const fromMs = nowMs();
    if (!crew.stop(command)) return;
    await this.#sleep(orderlyMs);
    record.fault('term', 'SIGTERM while a long job runs', [command], fromMs);
  }

  /**
   * A worker without a supervisor, which would kill it, stands still in a handler until its lease is over and another worker
   * runs the job. It then goes on, and settles what is no longer its own while that one still runs.
   */
  async settleLate(): Promise<void> {
    const { crew, lines, record, leaseMs } = this.#means;
    const isInIt = /"ev":"started".*"attempt":1,.*"kind":"late"/;
    const pid = await this.#stopIn(isInIt);
    if (pid === undefined) return;
    const fromMs = nowMs();
    const partner = this.#partnerOf(pid);
    if (partner !== undefined) this.#spared.add(partner);
    const [, id = ''] = /"id":"([^"]*)"/.exec(lines.lastOf(pid)) ?? [];
    const isOther = (one: number) => one !== pid && crew.pids.includes(one);
    const other = await lines.untilOneSaid(new RegExp(`"ev":"started","id":"${id}"`), isOther, 3 * leaseMs);
    this.#spared.delete(pid);
    // Told before it goes on: it may be faster than this process is.
    record.fault('stop', 'SIGSTOP in a handler until another worker has its job', [pid], fromMs);
    send(pid, 'SIGCONT');
    const ended = new RegExp(`"ev":"(?:threw|finished|aborted)","id":"${id}"`);
    if (other !== undefined && other === partner)
      await lines.untilOneSaid(ended, (one) => one === other, leaseMs);
    if (partner !== undefined) this.#spared.delete(partner);
  }

  /** Stops a worker without a supervisor in such a handler, and spares it. */
  async #stopIn(isInIt: RegExp): Promise<number | undefined> {
    const { crew, lines, isFree } = this.#means;
    const isMeant = (pid: number) =>
      crew.pids.includes(pid) && !this.isSpared(pid) && this.#partnerOf(pid) !== undefined;
    const untilMs = nowMs() + waitsMs;
    while (nowMs() < untilMs) {
      const pid = await lines.untilOneSays(isInIt, isMeant, waitsMs);
      if (pid === undefined) return undefined;
      if (!isMeant(pid)) continue; // another scene was faster
      send(pid, 'SIGSTOP');
      if (isInIt.test(lines.lastOf(pid)) && isFree()) {
        this.#spared.add(pid);
        return pid;
      }
      send(pid, 'SIGCONT'); // too late for this one
    }
    return undefined;
  }

  /** Who is to live on and take the jobs of one that stands still. */
  #partnerOf(pid: number): number | undefined {
    return this.#means.crew.peersOf(pid).find((one) => !this.#spared.has(one));
  }

  /** A worker process whose last line is such a one. */
  #worker(last: RegExp): Promise<number | undefined> {
    const isMeant = (pid: number) => !this.isSpared(pid) && this.#commandOf(pid) !== undefined;
    return this.#means.lines.untilOneSays(last, isMeant, waitsMs);
  }

  /** The command that a worker process belongs to, or is. */
  #commandOf(pid: number): number | undefined {
    const { pids } = this.#means.crew;
    return pids.includes(pid) ? pid : pids.find((command) => childrenOf(command).includes(pid));
  }

  #kill(pid: number | undefined, what: string): void {
    if (pid === undefined || this.#spared.has(pid)) return;
    const { crew, record } = this.#means;
    const fromMs = nowMs();
    crew.blame(pid, 'kill');
    if (send(pid, 'SIGKILL')) record.fault('kill', what, [pid], fromMs);
  }

  /** Until then, or until the end. */
  async #sleep(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#means.signal }).catch(() => undefined);
  }
}
