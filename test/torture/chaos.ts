import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FSWatcher, openSync, readFileSync, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind } from '../support/fault-proxy.js';
import type { Crew } from './crew.js';
import { childrenOf, signal } from './processes.js';
import { bin, type Project } from './project.js';
import { nowMs, type Record } from './record.js';
import type { Planned } from './schedule.js';
import type { Store } from './store.js';

/** How long workers may take to end when they are asked to, and connections to be noticed as dead. */
const [orderlyMs, commandMs] = [4000, 2500];

/** What a {@link Chaos} breaks, and where it writes that down. */
interface Means {
  readonly project: Project;
  readonly crew: Crew;
  readonly store: Store;
  readonly record: Record;
}

/** Breaks what is planned. */
export class Chaos {
  readonly #means: Means;
  readonly #underWay = new Set<Promise<void>>();
  #watcher: FSWatcher | undefined;
  #isStoreBroken = false;

  constructor(means: Means) {
    this.#means = means;
  }

  /** Goes through the plan, and resolves when all is whole again. */
  async run(plan: readonly Planned[]): Promise<void> {
    const startMs = performance.now();
    for (const one of plan) {
      await sleep(Math.max(0, startMs + one.atMs - performance.now()));
      const doing = this.#do(one);
      this.#underWay.add(doing);
      void doing.finally(() => this.#underWay.delete(doing));
    }
    await Promise.all(this.#underWay);
    this.#watcher?.close();
  }

  #do(planned: Planned): Promise<void> {
    switch (planned.what) {
      case 'kill':
        return this.#kill(this.#pick(this.#means.crew.all, planned.luck), 'kill');
      case 'kill-as-it-ends':
        return this.#killAsItEnds();
      case 'term':
        return this.#term(this.#pick(this.#means.crew.pids, planned.luck));
      case 'stop':
      case 'stop-tree':
        return this.#stop(planned);
      case 'restart':
        return this.#restart();
      case 'outage':
        return this.#outage(planned.forMs);
      case 'network':
        return this.#network(planned);
    }
  }

  #pick(pids: readonly number[], luck: number): number | undefined {
    return pids[Math.floor(luck * pids.length)];
  }

  async #kill(pid: number | undefined, what: string): Promise<void> {
    if (pid === undefined) return;
    const fromMs = nowMs();
    this.#means.crew.blame(pid, 'kill');
    if (signal(pid, 'SIGKILL')) this.#means.record.fault('kill', what, [pid], fromMs);
  }

  /** Waits for the next handler that ends, and kills its process before or while the job is settled. */
  async #killAsItEnds(): Promise<void> {
    const { project, crew } = this.#means;
    this.#watcher ??= watch(project.path('ledger'));
    const pid = await new Promise<number | undefined>((resolve) => {
      const timer = setTimeout(() => done(undefined), 3000);
      const look = (_: string, file: string | Buffer | null) => {
        const one = Number.parseInt(String(file), 10);
        if (!endedJust(project.path(`ledger/${file}`))) return;
        if (crew.pids.some((parent) => childrenOf(parent).includes(one))) done(one);
      };
      const done = (one: number | undefined) => {
        clearTimeout(timer);
        this.#watcher?.off('change', look);
        resolve(one);
      };
      this.#watcher?.on('change', look);
    });
    await this.#kill(pid, 'kill as a handler ends');
  }

  async #term(pid: number | undefined): Promise<void> {
    if (pid === undefined) return;
    const fromMs = nowMs();
    this.#means.crew.blame(pid, 'term');
    signal(pid, 'SIGTERM');
    await sleep(orderlyMs);
    this.#means.record.fault('term', 'SIGTERM', [pid], fromMs);
  }

  /** A process that stands still, or a command with all that it has started. */
  async #stop({ what, luck, forMs }: Planned): Promise<void> {
    const { crew, store, record } = this.#means;
    const pid = this.#pick(what === 'stop' ? crew.all : crew.pids, luck);
    if (pid === undefined) return;
    const pids = what === 'stop' ? [pid] : [pid, ...childrenOf(pid)];
    const fromMs = nowMs();
    for (;;) {
      for (const one of pids) signal(one, 'SIGSTOP');
      // Who holds the lock of a file would hold up all others, which is another fault.
      if (store.isFree()) break;
      for (const one of pids) signal(one, 'SIGCONT');
      await sleep(1);
    }
    await sleep(forMs);
    for (const one of pids) signal(one, 'SIGCONT');
    record.fault(
      'stop',
      what === 'stop' ? 'SIGSTOP' : 'SIGSTOP of a command with its processes',
      pids,
      fromMs,
    );
  }

  async #restart(): Promise<void> {
    const { project, crew, record } = this.#means;
    const fromMs = nowMs();
    for (const pid of crew.pids) crew.blame(pid, 'restart');
    const errors = openSync(project.path('output/restart.err'), 'a');
    const command = spawn(process.execPath, [bin, 'queue:restart'], {
      cwd: project.folder,
      stdio: ['ignore', 'ignore', errors],
    });
    await once(command, 'exit');
    await sleep(orderlyMs);
    record.fault('term', 'queue:restart', undefined, fromMs);
  }

  async #outage(forMs: number): Promise<void> {
    const { store, record, crew } = this.#means;
    if (this.#isStoreBroken) return;
    this.#isStoreBroken = true;
    const fromMs = nowMs();
    crew.storeAwayMs = fromMs;
    await store.breakFor(forMs);
    crew.storeAwayMs = nowMs();
    record.fault(
      'outage',
      store.proxy ? 'server killed and started again' : 'file locked',
      undefined,
      fromMs,
    );
    this.#isStoreBroken = false;
  }

  async #network(planned: Planned): Promise<void> {
    const { store, record, crew } = this.#means;
    if (!store.proxy) return;
    const fromMs = nowMs();
    crew.storeAwayMs = fromMs;
    await breakNetwork(store.proxy, planned);
    // Nobody is told of a connection that is dead: it is found out by a command without an answer.
    if (planned.network !== 'cut') await sleep(commandMs);
    crew.storeAwayMs = nowMs();
    record.fault('network', `network: ${planned.network}`, undefined, fromMs);
  }
}

async function breakNetwork(proxy: NonNullable<Store['proxy']>, { network, forMs }: Planned): Promise<void> {
  switch (network) {
    case 'cut':
      return proxy.cut();
    case 'delay':
    case 'slow':
      proxy.pace(network === 'delay' ? { delayMs: 300 } : { bytesPerSecond: 16_384 });
      await sleep(forMs);
      proxy.pace({});
      return proxy.cut(); // what stands in line would come for long
    case 'black-hole':
      proxy.blackHole();
      await sleep(forMs);
      return proxy.heal();
    default: {
      const kind: FaultKind = network;
      const all = Array.from({ length: 4 }, () => proxy.plan(kind, () => true).happened);
      await Promise.all(all);
    }
  }
}

/** Whether the last line of a ledger is that of a handler that ended. */
function endedJust(file: string): boolean {
  try {
    const text = readFileSync(file, 'utf8');
    return /"ev":"(?:finished|threw)"/.test(text.slice(text.lastIndexOf('\n', text.length - 2) + 1));
  } catch {
    return false;
  }
}
