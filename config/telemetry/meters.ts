import type * as PromClient from 'prom-client';
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { StoreLook, StoreReading } from './store-look.js';

type Client = typeof PromClient;

/** In seconds: from jobs that only write a row to such as run for an hour. */
const buckets = [0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
const ofJob = ['connection', 'queue', 'job'] as const;
const ofQueue = ['connection', 'queue'] as const;
const workerStates = ['working', 'idle', 'paused', 'stopping', 'gone?'] as const;

const known = new WeakMap<Registry, Meters>();

/** The metrics of a registry, made where it has none. */
export function metersOf(client: Client, register: Registry): Meters {
  let meters = known.get(register);
  if (!meters) {
    meters = new Meters(client, register);
    known.set(register, meters);
  }
  return meters;
}

/** The metrics that drover has in one registry. Those of stores are read when they are scraped. */
export class Meters {
  readonly pushed: Counter<'connection' | 'queue' | 'job'>;
  readonly ended: Counter<'connection' | 'queue' | 'job' | 'outcome'>;
  readonly timedOut: Counter<'connection' | 'queue' | 'job'>;
  readonly runSeconds: Histogram<'connection' | 'queue' | 'job'>;
  readonly waitSeconds: Histogram<'connection' | 'queue' | 'job'>;
  readonly running: Gauge<'connection' | 'queue'>;
  readonly lastDone: Gauge<'connection' | 'queue'>;
  readonly storeErrors: Counter<'connection'>;
  readonly #storeUp: Gauge<'connection'>;
  readonly #jobs: Gauge<'connection' | 'queue' | 'state'>;
  readonly #longestWait: Gauge<'connection' | 'queue'>;
  readonly #workers: Gauge<'connection' | 'state'>;
  readonly #looks = new Set<StoreLook>();
  #reading: Promise<void> | undefined;

  constructor({ Counter, Gauge, Histogram }: Client, register: Registry) {
    const registers = [register];
    const metric = <const Label extends string>(
      name: string,
      help: string,
      labelNames: readonly Label[],
    ) => ({
      name: `drover_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
    });
    const ofStore = { collect: () => this.#readStores() };
    this.pushed = new Counter(metric('jobs_pushed_total', 'Jobs that this process stored', ofJob));
    this.ended = new Counter(
      metric('job_attempts_total', 'Attempts of jobs that ended in this process', [...ofJob, 'outcome']),
    );
    this.timedOut = new Counter(metric('job_timeouts_total', 'Attempts that ran into their timeout', ofJob));
    const run = metric('job_duration_seconds', 'How long attempts took, from decoding to settling', ofJob);
    this.runSeconds = new Histogram({ ...run, buckets });
    const wait = metric('job_wait_seconds', 'How long jobs had been due when their first run began', ofJob);
    this.waitSeconds = new Histogram({ ...wait, buckets });
    this.running = new Gauge(metric('jobs_running', 'Handlers that run in this process', ofQueue));
    this.lastDone = new Gauge(
      metric('last_done_timestamp_seconds', 'When this process last had a job done, in Unix time', ofQueue),
    );
    this.storeErrors = new Counter(
      metric('store_errors_total', 'How often the store failed workers of this process', ['connection']),
    );
    this.#storeUp = new Gauge({
      ...metric('store_up', '1 where the store answered this scrape in time, else 0', ['connection']),
      ...ofStore,
    });
    this.#jobs = new Gauge({
      ...metric('queue_jobs', 'Jobs in the store, the same from every process', [...ofQueue, 'state']),
      ...ofStore,
    });
    this.#longestWait = new Gauge({
      ...metric(
        'queue_longest_wait_seconds',
        'For how long the longest waiting ready job has been due',
        ofQueue,
      ),
      ...ofStore,
    });
    this.#workers = new Gauge({
      ...metric('workers', 'Workers of the connection, the same from every process', ['connection', 'state']),
      ...ofStore,
    });
  }

  /** Reads a store at each scrape; the function returned ends that. */
  watch(look: StoreLook): () => void {
    this.#looks.add(look);
    return () => this.#looks.delete(look);
  }

  /** One reading for all metrics of a scrape. */
  #readStores(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const readings = await Promise.all(
      [...this.#looks].map(async (look) => ({ connection: look.connection, reading: await look.read() })),
    );
    // What a store does not say now is left out, not told as it once was.
    for (const gauge of [this.#storeUp, this.#jobs, this.#longestWait, this.#workers]) gauge.reset();
    for (const { connection, reading } of readings) {
      this.#storeUp.set({ connection }, reading ? 1 : 0);
      if (reading) this.#show(connection, reading);
    }
  }

  #show(connection: string, { queues, workers }: StoreReading): void {
    for (const { queue, ready, delayed, reserved, longestWaitMs = 0 } of queues) {
      for (const [state, jobs] of Object.entries({ ready, delayed, reserved })) {
        this.#jobs.set({ connection, queue, state }, jobs);
      }
      this.#longestWait.set({ connection, queue }, longestWaitMs / 1000);
    }
    if (!workers) return;
    for (const state of workerStates) {
      const label = state.replace('?', '');
      this.#workers.set({ connection, state: label }, workers.filter((one) => one.state === state).length);
    }
  }
}
