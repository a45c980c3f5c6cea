import type { Beat } from '../../../src/index.js';
import type { LookTable, Sight } from '../dialects/dialect.js';
import type { ProfileJobsOptions } from './profile-jobs.js';

/** Looks at queues of a table of PHP; signals and beats go the dialect's own way, as their tables are drover's. */
export class ProfileLooks<Connection> implements LookTable<Connection> {
  readonly #own: LookTable<Connection>;
  readonly #options: ProfileJobsOptions<Connection>;

  constructor(own: LookTable<Connection>, options: ProfileJobsOptions<Connection>) {
    this.#own = own;
    this.#options = options;
  }

  async look(
    connection: Connection,
    queues: readonly string[],
    signals: readonly string[],
    beats: readonly Beat[] = [],
  ): Promise<Sight> {
    const asksOwn = signals.length > 0 || beats.length > 0;
    const told = asksOwn ? (await this.#own.look(connection, [], signals, beats)).signals : new Map();
    return { signals: told, msUntilDue: await this.#msUntilDue(connection, queues) };
  }

  async #msUntilDue(connection: Connection, queues: readonly string[]): Promise<number> {
    if (queues.length === 0) return Number.POSITIVE_INFINITY;
    const { sql, statements, retryAfterMs } = this.#options;
    const bound = [retryAfterMs / 1000, ...queues];
    const text = statements.nextDue(queues.length);
    const [row] = await sql.rows<{ due: number | string | null }>(connection, text, bound);
    if (row?.due == null) return Number.POSITIVE_INFINITY;
    return Number(row.due) * 1000 - (await sql.nowMs(connection));
  }
}
