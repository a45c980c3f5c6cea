import type { Server } from '../servers.js';
import type { Tally } from '../task.js';
import { type Figures, handledBy, inCrew, type Measure, pushed, startWorkers } from './setting.js';

/** What is drained, and how. */
export interface Draining {
  readonly processes?: number;
  readonly concurrency: number;
  /** Jobs that wait, of which no more are handled than in the other measures. Default: as many as are handled. */
  readonly waiting?: number;
  /** Jobs that are due in an hour, besides. */
  readonly delayed?: number;
  /** Bytes of text in each job. Default: those of `jobData`. */
  readonly bytes?: number;
  /** How long the handler waits, in ms. Default: it does nothing. */
  readonly handlerMs?: number;
  /** The part of the jobs that is handled. Default: all. */
  readonly share?: number;
  /** Measures what it costs, too. */
  readonly withCost?: boolean;
}

const hourMs = 3_600_000;

/** Measures how many jobs a second are handled of those that were pushed before. */
export function drain(figure: string, draining: Draining): Measure {
  const { processes = 1, concurrency, waiting, delayed, bytes, handlerMs, share = 1, withCost } = draining;
  return async ({ entry, server, sizes, profileTo }) => {
    const most = Math.ceil(sizes.jobs * share * (entry.share ?? 1));
    const place = await server.emptyPlace();
    const task = { contender: entry.name, place, ...(bytes !== undefined && { bytes }) };
    const load = (jobs: number, delayMs = 0) =>
      inCrew(entry, undefined, (crew) => pushed(crew, { ...task, role: 'push', jobs, delayMs }));
    if (delayed !== undefined) checkLoaded(delayed, await load(delayed, hourMs));
    const loaded = await load(waiting ?? most);
    if (waiting !== undefined) checkLoaded(waiting, loaded);
    const jobs = Math.min(most, loaded.jobs);

    await server.startCounting?.();
    const tallies = await inCrew(entry, profileTo, async (crew) => {
      const working = { ...task, role: 'work', jobs, concurrency } as const;
      const workers = await startWorkers(crew, processes, {
        ...working,
        ...(handlerMs !== undefined && { handlerMs }),
      });
      const found = () => workers.flatMap((worker) => worker.last('tally') ?? []);
      await crew.until(() => handledBy(found()) >= jobs, sizes.limitMs);
      if (handledBy(found()) < 2) throw new Error(`nothing was handled within ${sizes.limitMs} ms`);
      return found();
    });
    const rate = { [figure]: rateOf(tallies) };
    if (withCost !== true) return { figures: rate };
    // Servers of databases know all only when the workers have left.
    const commands = await perJob(server, handledBy(tallies));
    return { figures: { ...rate, ...costOf(tallies) }, commands };
  };
}

function checkLoaded(jobs: number, { jobs: loaded }: { readonly jobs: number }): void {
  if (loaded < jobs) throw new Error(`only ${loaded} of ${jobs} jobs were pushed in two minutes`);
}

/** The last batch may not be acknowledged yet, so what is counted is handlers, from the first to the last. */
function rateOf(tallies: readonly Tally[]): number {
  const firstUs = Math.min(...tallies.map((tally) => tally.firstUs));
  const lastUs = Math.max(...tallies.map((tally) => tally.lastUs));
  return ((handledBy(tallies) - 1) / (lastUs - firstUs)) * 1_000_000;
}

function costOf(tallies: readonly Tally[]): Figures {
  const [{ cpuUs, handled, rssKiB } = { cpuUs: 0, handled: 1, rssKiB: 0 }] = tallies;
  return {
    'cost at concurrency 10: worker CPU, s per 10,000 jobs': cpuUs / handled / 100,
    'cost at concurrency 10: worker peak memory, MiB': rssKiB / 1024,
  };
}

async function perJob(server: Server, handled: number): Promise<Figures> {
  const counted = Object.entries((await server.counted?.()) ?? {});
  return Object.fromEntries(counted.map(([name, count]) => [name, count / handled]));
}
