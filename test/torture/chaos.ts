import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Crew } from './crew.js';
import type { Graves } from './graves.js';
import { LastLines } from './last-lines.js';
import { breakNetwork, commandMs } from './network.js';
import { childrenOf, endWithin, signal as send } from './processes.js';
import { bin, type Project } from './project.js';
import { nowMs, type Record } from './record.js';
import { orderlyMs, Scenes } from './scenes.js';
import type { Planned } from './schedule.js';
import type { Breakage, Store } from './store.js';

const hourMs = 3_600_000;
/** What `queue:restart` has to end in, whatever its store does. */
const restartWithinMs = 60_000;

/** What a {@link Chaos} breaks, and where it writes that down. */
interface Means {
  readonly project: Project;
  readonly crew: Crew;
  readonly store: Store;
  /** Absent where failed jobs stay in the store. */
  readonly graves: Graves | undefined;
  readonly record: Record;
  readonly leaseMs: number;
  /** Ends it: nothing more is broken, and what stands still goes on. */
  readonly signal: AbortSignal;
}

/** Breaks what is planned. */
export class Chaos {
  readonly #means: Means;
  readonly #underWay = new Set<Promise<void>>();
  readonly #scenes: Scenes;
  readonly #lines: LastLines;
  #storeIsWhole = Promise.resolve();

  constructor(means: Means) {
    this.#means = means;
    this.#lines = new LastLines(means.project);
    const isFree = () => means.store.isFree() && means.graves?.isFree() !== false;
    this.#scenes = new Scenes({ ...means, lines: this.#lines, isFree });
  }

  /** Goes through the plan, and resolves when all is whole again. */
  async run(plan: readonly Planned[]): Promise<void> {
    const startMs = performance.now();
    for (const one of plan) {
      await this.#sleep(Math.max(0, startMs + one.atMs - performance.now()));
      if (this.#means.signal.aborted) break;
      const doing = this.#do(one);
      this.#underWay.add(doing);
      void doing.finally(() => this.#underWay.delete(doing));
    }
    await Promise.all(this.#underWay);
    this.#lines.close();
  }

  /** Resolves when what was under way has ended, and the store is whole. */
  async end(): Promise<void> {
    this.#lines.close();
    await Promise.allSettled(this.#underWay);
  }

  /** Until then, or until the end. */
  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#means;
    await wait(ms, undefined, { signal }).catch(() => undefined);
  }

  #do(planned: Planned): Promise<void> {
    switch (planned.what) {
      case 'kill':
        return this.#kill(this.#pick(this.#means.crew.all, planned.luck), 'kill');
      case 'kill-as-it-starts':
        return this.#scenes.killAsItStarts();
      case 'kill-as-it-ends':
        return this.#scenes.killAsItEnds();
      case 'kill-as-it-fails':
        return this.#scenes.killAsItFails(planned.luck);
      case 'term':
        return this.#term(this.#pick(this.#means.crew.pids, planned.luck));
      case 'term-as-it-runs':
        return this.#scenes.termAsItRuns();
      case 'stop':
      case 'stop-tree':
        return this.#stop(planned);
      case 'stop-before-it-settles':
        return this.#scenes.settleLate();
      case 'restart':
        return this.#restart();
      case 'outage':
        return this.#breakStore(this.#means.store.outage, planned.forMs);
      case 'full':
        return this.#breakStore(this.#means.store.full, planned.forMs);
      case 'graves':
        return this.#breakStore(this.#means.graves?.away, planned.forMs);
      case 'network':
        return this.#network(planned);
      case 'clock':
        return this.#clock(planned);
    }
  }

  #pick(pids: readonly number[], luck: number): number | undefined {
    const possible = pids.filter((pid) => !this.#scenes.isSpared(pid));
    return possible[Math.floor(luck * possible.length)];
  }

  async #kill(pid: number | undefined, what: string): Promise<void> {
    if (pid === undefined) return;
    const fromMs = nowMs();
    this.#means.crew.blame(pid, 'kill');
    if (send(pid, 'SIGKILL')) this.#means.record.fault('kill', what, [pid], fromMs);
  }

  async #term(pid: number | undefined): Promise<void> {
    if (pid === undefined) return;
    const fromMs = nowMs();
    if (!this.#means.crew.stop(pid)) return;
    await this.#sleep(orderlyMs);
    this.#means.record.fault('term', 'SIGTERM', [pid], fromMs);
  }

  /** A process that stands still, or a command with all that it has started. */
  async #stop({ what, luck, forMs }: Planned): Promise<void> {
    const { crew, store, graves, record } = this.#means;
    const pid = this.#pick(what === 'stop' ? crew.all : crew.pids, luck);
    if (pid === undefined) return;
    const pids = what === 'stop' ? [pid] : [pid, ...childrenOf(pid)];
    const fromMs = nowMs();
    for (;;) {
      for (const one of pids) send(one, 'SIGSTOP');
      // Who holds the lock of a file would hold up all others, which is another fault.
      if (store.isFree() && graves?.isFree() !== false) break;
      for (const one of pids) send(one, 'SIGCONT');
      await this.#sleep(1);
      if (this.#means.signal.aborted) return;
    }
    await this.#sleep(forMs);
    // Told before they go on: they may be faster than this process is.
    record.fault(
      'stop',
      what === 'stop' ? 'SIGSTOP' : 'SIGSTOP of a command with its processes',
      pids,
      fromMs,
    );
    for (const one of pids) send(one, 'SIGCONT');
  }

  async #restart(): Promise<void> {
    const { project, crew, record } = this.#means;
    const fromMs = nowMs();
    for (const pid of crew.pids) crew.blame(pid, 'restart');
    crew.restarts += 1;
    const errors = openSync(project.path('output/restart.err'), 'a');
    const command = spawn(process.execPath, [bin, 'queue:restart'], {
      cwd: project.folder,
      stdio: ['ignore', 'ignore', errors],
    });
    const code = await endWithin(command, restartWithinMs);
    if (code === undefined) writeSync(errors, '\nunhandled: queue:restart did not end\n');
    closeSync(errors);
    crew.restarts -= 1;
    for (const pid of crew.pids) crew.blame(pid, 'restart'); // some have started meanwhile
    await this.#sleep(orderlyMs);
    record.fault('term', 'queue:restart', undefined, fromMs);
  }

  /** One thing after the other: what is broken twice is mended once too often. */
  #breakStore(breakage: Breakage | undefined, forMs: number): Promise<void> {
    if (breakage) this.#storeIsWhole = this.#storeIsWhole.then(() => this.#breakNow(breakage, forMs));
    return this.#storeIsWhole;
  }

  async #breakNow(breakage: Breakage, forMs: number): Promise<void> {
    const { record, crew, signal } = this.#means;
    if (signal.aborted) return;
    const { fault, what, undoneMs = 0 } = breakage;
    const isAway = fault === 'outage' || fault === 'failover';
    const fromMs = nowMs();
    if (isAway) crew.storeAwayMs = fromMs;
    await breakage.last(forMs);
    if (isAway) crew.storeAwayMs = nowMs();
    record.fault(fault, what, undefined, fromMs - undoneMs);
  }

  async #network(planned: Planned): Promise<void> {
    const { store, record, crew } = this.#means;
    if (!store.proxy) return;
    crew.storeAwayMs = nowMs();
    await breakNetwork(store.proxy, planned, async (what, fromMs) => {
      // Nobody is told of a connection that is dead: it is found out by a command without an answer.
      if (what !== 'cut') await this.#sleep(commandMs);
      crew.storeAwayMs = nowMs();
      record.fault('network', `network: ${what}`, undefined, fromMs);
    });
  }

  /** The clocks of some workers are wrong for a while, by up to an hour. */
  async #clock({ luck, forMs }: Planned): Promise<void> {
    const { project, crew, store, record } = this.#means;
    if (!store.hasClock) return;
    const aheadMs = Math.round((luck - 0.5) * 2 * hourMs);
    const pids = crew.jumping;
    const fromMs = nowMs();
    project.setClock(aheadMs);
    await this.#sleep(forMs);
    project.setClock(0);
    record.fault(
      'clock',
      `clock of a worker ${aheadMs < 0 ? 'back' : 'ahead'}, and right again`,
      pids,
      fromMs,
    );
  }
}
