import type { LiveJob, Peek } from '../../../src/index.js';
import type { LiveJobTable } from '../dialects/dialect.js';
import { pageOf } from '../dialects/live-job-row.js';
import type { ProfileJobsOptions } from './profile-jobs.js';
import { Seconds } from './seconds.js';
import type { ProfileRow } from './statements.js';

/** Looks at the live jobs of a table of PHP. */
export class ProfileLiveJobs<Connection> implements LiveJobTable<Connection> {
  readonly #options: ProfileJobsOptions<Connection>;

  constructor(options: ProfileJobsOptions<Connection>) {
    this.#options = options;
  }

  async peek(connection: Connection, queue: string, options: Peek): Promise<LiveJob[]> {
    const { sql, statements } = this.#options;
    const seconds = await this.#seconds(connection);
    const { now, lapsedBefore } = seconds;
    const times = { ready: [now, lapsedBefore], delayed: [now], reserved: [lapsedBefore] }[options.state];
    const bound = [queue, ...times, ...pageOf(options)];
    const rows = await sql.rows<ProfileRow>(connection, statements[options.state], bound);
    return rows.map((row) => this.#liveJob(row, seconds));
  }

  async find(connection: Connection, queue: string, id: string): Promise<LiveJob | null> {
    if (!/^\d{1,18}$/.test(id)) return null; // no row can have it
    const { sql, statements } = this.#options;
    const [row] = await sql.rows<ProfileRow>(connection, statements.find, [queue, id]);
    return row === undefined ? null : this.#liveJob(row, await this.#seconds(connection));
  }

  #liveJob(row: ProfileRow, { now, lapsedBefore }: Seconds): LiveJob {
    const { retryAfterMs, profile } = this.#options;
    const since = row.reserved_at === null ? null : Number(row.reserved_at);
    const isHeld = since !== null && since > lapsedBefore;
    const leaseEndsAtMs = since === null ? null : since * 1000 + retryAfterMs;
    const isReady = !isHeld && (since !== null || Number(row.available_at) <= now);
    const isCounted = profile.countedOn === 'reserve' || since === null;
    return {
      id: String(row.id),
      queue: row.queue,
      state: isHeld ? 'reserved' : isReady ? 'ready' : 'delayed',
      body: row.payload,
      attempts: Number(row.attempts) + (isCounted ? 0 : 1),
      createdAtMs: Number(row.created_at) * 1000,
      dueAtMs: since === null || isHeld ? Number(row.available_at) * 1000 : leaseEndsAtMs,
      reservedAtMs: null, // an extension has moved it
      leaseEndsAtMs: isHeld ? leaseEndsAtMs : null,
    };
  }

  async #seconds(connection: Connection): Promise<Seconds> {
    const { sql, retryAfterMs } = this.#options;
    return new Seconds(await sql.nowMs(connection), retryAfterMs);
  }
}
