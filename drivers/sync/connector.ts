import {
  type Connector,
  type DriverContext,
  type Lease,
  type NewJob,
  ProcessStatistics,
  type PushOutcome,
  type QueueSize,
  type Release,
  type ReservedJob,
} from '../../src/index.js';

const nothing: QueueSize = { ready: 0, delayed: 0, reserved: 0 };

/**
 * A store that holds nothing: a job is run where others would store it. Settling is always granted, as
 * nobody else can have the job.
 */
export class SyncConnector implements Connector {
  readonly inline = true;
  readonly statistics = new ProcessStatistics();
  readonly #context: DriverContext;
  #runs = 0;

  constructor(context: DriverContext) {
    this.#context = context;
  }

  /** Runs the jobs in order, all of them, then throws what they threw. */
  async push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const errors: unknown[] = [];
    for (const job of jobs) {
      await this.#context.runInline(this.#reserved(queue, job), this).catch((error) => errors.push(error));
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} of ${jobs.length} jobs failed`);
    return jobs.map(() => 'stored');
  }

  #reserved(queue: string, { id, body }: NewJob): ReservedJob {
    this.#runs += 1;
    return { id, queue, body, attempts: 1, lease: { queue, token: `sync-${this.#runs}`, handle: id } };
  }

  async reserve(): Promise<ReservedJob[]> {
    return [];
  }

  async extend(leases: readonly Lease[]): Promise<boolean[]> {
    return leases.map(() => true);
  }

  async delete(leases: readonly Lease[]): Promise<boolean[]> {
    return leases.map(() => true);
  }

  async release(releases: readonly Release[]): Promise<boolean[]> {
    return releases.map(() => true);
  }

  async size(): Promise<QueueSize> {
    return nothing;
  }

  async clear(): Promise<QueueSize> {
    return nothing;
  }

  async close(): Promise<void> {}
}
