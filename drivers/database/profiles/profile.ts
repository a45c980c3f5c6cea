import { type Driver, QueueError } from '../../../src/index.js';
import type { profileTables } from './profile-tables.js';
import { laravelRows, thinkQueue1Rows, thinkQueue3Rows } from './row-formats.js';

/** What differs from one of PHP's tables of jobs to the next. All of their times are whole seconds. */
export interface TableProfile {
  readonly name: WireName;
  /** How the column `payload` is written. */
  readonly wire: NonNullable<Driver['wire']>;
  readonly columns: {
    readonly reservedAt: string;
    readonly availableAt: string;
    readonly createdAt: string;
    /** Holds 1 while a job is reserved, else 0. Absent where `reservedAt` alone says it. */
    readonly reserved?: string;
  };
  /**
   * When `attempts` goes up: as a job is reserved, or as it comes back by a release or the end of its lease. The row
   * then holds the deliveries that are over, and the present one is one more.
   */
  readonly countedOn: 'reserve' | 'return';
  /** The tables that `queue:migrate` makes where they are missing. */
  readonly made: {
    readonly jobs: keyof typeof profileTables;
    readonly failedJobs: keyof typeof profileTables;
  };
  readonly failed: {
    /** What the failed-job commands of PHP take. */
    readonly id: 'id' | 'uuid';
    /** PHP's local time. */
    readonly failedAt: string;
  };
}

/** The values of the option `wire`. */
export type WireName = 'think-3' | 'think-1' | 'laravel';

const thinkFailed = { id: 'id', failedAt: 'fail_time' } as const;
const laravelColumns = { reservedAt: 'reserved_at', availableAt: 'available_at', createdAt: 'created_at' };

const profiles: Readonly<Record<WireName, TableProfile>> = {
  'think-3': {
    name: 'think-3',
    wire: thinkQueue3Rows,
    columns: { reservedAt: 'reserve_time', availableAt: 'available_time', createdAt: 'create_time' },
    countedOn: 'reserve',
    made: { jobs: 'think-3_jobs', failedJobs: 'think-3_failed_jobs' },
    failed: thinkFailed,
  },
  'think-1': {
    name: 'think-1',
    wire: thinkQueue1Rows,
    columns: { ...laravelColumns, reserved: 'reserved' },
    countedOn: 'return',
    // Version 1 keeps no failed jobs; this is the table of version 3, which finds them after an upgrade.
    made: { jobs: 'think-1_jobs', failedJobs: 'think-3_failed_jobs' },
    failed: thinkFailed,
  },
  laravel: {
    name: 'laravel',
    wire: laravelRows(),
    columns: laravelColumns,
    countedOn: 'reserve',
    made: { jobs: 'laravel_jobs', failedJobs: 'laravel_failed_jobs' },
    failed: { id: 'uuid', failedAt: 'failed_at' },
  },
};

/** @throws QueueError `E_CONFIG` for what is no name of one. */
export function profileNamed(name: unknown): TableProfile {
  const known = Object.keys(profiles);
  if (typeof name === 'string' && Object.hasOwn(profiles, name)) return profiles[name as WireName];
  throw new QueueError('E_CONFIG', `wire: ${JSON.stringify(name)} is none of PHP's tables`, {
    fix: `Write '${known.join("', '")}', or leave it out for drover's own tables.`,
  });
}
