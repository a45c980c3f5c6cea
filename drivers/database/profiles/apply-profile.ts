import type { TableNames } from '../../../migrations/index.js';
import type { Dialect } from '../dialects/dialect.js';
import { silent } from '../dialects/silence.js';
import type { LocalTime } from './local-time.js';
import type { TableProfile } from './profile.js';
import { ProfileFailedJobs } from './profile-failed-jobs.js';
import { ProfileHealth } from './profile-health.js';
import { ProfileJobs } from './profile-jobs.js';
import { ProfileLiveJobs } from './profile-live-jobs.js';
import { ProfileLooks } from './profile-looks.js';
import { profileStatements } from './statements.js';

/** Which tables of PHP a connection works on, and how. */
export interface ProfileSettings {
  readonly profile: TableProfile;
  readonly retryAfterMs: number;
  /** The PHP application's. */
  readonly time: LocalTime;
}

/** A dialect whose jobs and failed jobs are in PHP's tables; drover's other tables stay as they are. */
export function withProfile<Connection>(
  dialect: Dialect<Connection>,
  tables: TableNames,
  { profile, retryAfterMs, time }: ProfileSettings,
): Dialect<Connection> {
  const { schema } = tables;
  const { news, sql } = dialect;
  const placed = (table: string): string =>
    schema === undefined ? sql.quote(table) : `${sql.quote(schema)}.${sql.quote(table)}`;
  const statements = profileStatements(profile, placed(tables.jobs), sql.quote);
  const options = { sql, statements, profile, retryAfterMs };
  const jobs = new ProfileJobs(options);
  const table = placed(tables.failedJobs);
  return {
    ...dialect,
    jobs,
    health: new ProfileHealth(dialect.health, sql, tables, profile, placed),
    liveJobs: new ProfileLiveJobs(options),
    looks: new ProfileLooks(dialect.looks, options),
    failedJobs: new ProfileFailedJobs({ sql, table, profile, wire: profile.wire, jobs, time }),
    // PHP tells nobody of its jobs; a SQLite file is watched, whoever writes it.
    news: news.tell === undefined ? news : silent,
  };
}
