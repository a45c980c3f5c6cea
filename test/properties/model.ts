/** What a queue promises, in the fewest words: jobs with a state, a due time and an order. Times go by its own clock. */
export class ModelStore {
  readonly jobs: ModelJob[] = [];
  readonly failed: { readonly uuid: string; readonly id: string; readonly queue: string }[] = [];
  nowMs = 0;

  at(queue: string, id: string): ModelJob | undefined {
    return this.jobs.find((job) => job.queue === queue && job.id === id);
  }

  push(queue: string, id: string, delayMs: number): 'stored' | 'already-there' {
    if (this.at(queue, id) !== undefined) return 'already-there';
    const dueAtMs = this.nowMs + delayMs;
    this.jobs.push({ queue, id, attempts: 0, exceptions: 0, dueAtMs, wasDueAtMs: dueAtMs, token: undefined });
    return 'stored';
  }

  /** Removes a job and keeps its record, in place of an older one of the same job. */
  fail(job: ModelJob, uuid: string): void {
    const { id, queue } = job;
    const older = this.failed.findIndex((record) => record.id === id && record.queue === queue);
    if (older >= 0) this.failed.splice(older, 1);
    this.failed.push({ uuid, id, queue });
    this.remove(job);
  }

  remove(job: ModelJob): void {
    this.jobs.splice(this.jobs.indexOf(job), 1);
  }

  isDue({ dueAtMs }: ModelJob): boolean {
    return dueAtMs <= this.nowMs;
  }

  /** A job under a lease that has not lapsed. What a lapsed one is answered is open until somebody else takes the job. */
  isHeld(job: ModelJob): boolean {
    return job.token !== undefined && !this.isDue(job);
  }

  due(queue: string): ModelJob[] {
    return this.jobs.filter((job) => job.queue === queue && this.isDue(job));
  }

  size(queue: string): { ready: number; delayed: number; reserved: number } {
    const all = this.jobs.filter((job) => job.queue === queue);
    const reserved = all.filter((job) => this.isHeld(job)).length;
    const ready = all.filter((job) => this.isDue(job)).length;
    return { ready, reserved, delayed: all.length - ready - reserved };
  }
}

export interface ModelJob {
  readonly queue: string;
  readonly id: string;
  attempts: number;
  exceptions: number;
  /** When it is due, or when its lease lapses. */
  dueAtMs: number;
  /** When it was due before it was handed out last. */
  wasDueAtMs: number;
  /** Of the lease under which it was handed out last, until it was settled. */
  token: string | undefined;
}
