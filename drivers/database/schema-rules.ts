import type { TableNames } from '../../migrations/index.js';
import type { Finding } from '../../src/index.js';
import type { AppliedStep, TableIndex } from './dialects/dialect.js';
import { missingFrom, newerIn } from './schema.js';
import type { SchemaStep } from './schema-steps.js';

const migrate = 'Run: drover queue:migrate';

/** Whether the tables are those of this version. Pure. */
export function schemaFinding(
  applied: readonly AppliedStep[],
  tables: TableNames,
  {
    steps,
    hasTables,
    autoMigrate,
  }: { readonly steps: readonly SchemaStep[]; readonly hasTables: boolean; readonly autoMigrate: boolean },
): Finding {
  const check = 'schema';
  const newer = newerIn(applied);
  if (newer.length > 0) {
    const message = `a newer version of drover migrated the tables (${newer.join(', ')})`;
    return { check, status: 'error', message, fix: 'Update drover here to the version that migrated them.' };
  }
  const missing = missingFrom(applied, tables, steps);
  if (missing.length === 0) return current(tables, steps.length, hasTables);
  if (applied.length === 0 && hasTables) {
    const message = "the application's own migrations made the tables: what is in them is not on record";
    return { check, status: 'ok', message };
  }
  const what = applied.length === 0 ? 'there are no tables yet' : 'the tables are those of an older version';
  const names = missing.map(({ name }) => name).join(', ');
  const next = autoMigrate ? '; the first use takes them' : '';
  return {
    check,
    status: autoMigrate ? 'warning' : 'error',
    message: `${what}: the steps ${names} are missing${next}`,
    fix: migrate,
  };
}

function current({ jobs, failedJobs }: TableNames, steps: number, hasTables: boolean): Finding {
  const check = 'schema';
  if (hasTables) return { check, status: 'ok', message: `the tables are current (${steps} steps)` };
  return {
    check,
    status: 'error',
    message: `the table ${jobs} or ${failedJobs} is gone, though the steps that make them were taken`,
    fix: 'Restore it, or print what makes it with drover queue:table and run that.',
  };
}

/** An index that the statements of the driver count on. */
interface Wanted {
  readonly suffix: string;
  readonly columns: readonly string[];
  readonly isUnique: boolean;
}

type WantedIndexes = Readonly<Record<'jobs' | 'failedJobs', readonly Wanted[]>>;

/** PHP's tables, which it looks through by queue. */
const foreign: WantedIndexes = {
  jobs: [{ suffix: 'queue_index', columns: ['queue'], isUnique: false }],
  failedJobs: [],
};

/** The indexes that the statements on the tables of a schema count on. */
export function indexesOf(steps: readonly SchemaStep[]): WantedIndexes {
  return steps.some(({ isForeign }) => isForeign) ? foreign : native;
}

const native: WantedIndexes = {
  jobs: [
    { suffix: 'job_id_queue', columns: ['job_id', 'queue'], isUnique: true },
    { suffix: 'due', columns: ['queue', 'available_at', 'id'], isUnique: false },
  ],
  failedJobs: [
    { suffix: 'job', columns: ['job_id', 'queue', 'connection'], isUnique: true },
    { suffix: 'failed_at', columns: ['failed_at'], isUnique: false },
  ],
};

/**
 * Whether the indexes are there, under whatever names. Pure.
 *
 * @param found by table; undefined where there is no such table, of which the schema's finding tells.
 */
export function indexFindings(
  tables: TableNames,
  found: Readonly<Record<keyof WantedIndexes, readonly TableIndex[] | undefined>>,
  wanted: WantedIndexes,
): Finding[] {
  const check = 'indexes';
  const findings: Finding[] = [];
  for (const key of ['jobs', 'failedJobs'] as const) {
    const indexes = found[key];
    if (indexes === undefined) continue;
    const missing = wanted[key].filter((one) => !indexes.some((index) => serves(index, one)));
    findings.push(...missing.map((one) => missingFinding(tables[key], one)));
  }
  if (findings.length > 0 || found.jobs === undefined) return findings;
  return [{ check, status: 'ok', message: 'every index is there' }];
}

function missingFinding(table: string, { suffix, columns, isUnique }: Wanted): Finding {
  const list = columns.join(', ');
  return {
    check: 'indexes',
    status: isUnique ? 'error' : 'warning',
    message: isUnique
      ? `table ${table} has no unique index on (${list}): a job could be stored twice, or not at all`
      : `table ${table} has no index on (${list}): each look reads the whole table`,
    fix: `Run: CREATE ${isUnique ? 'UNIQUE ' : ''}INDEX ${table}_${suffix} ON ${table} (${list})`,
  };
}

/** A unique index holds apart what its columns are; any other may have more columns behind. */
function serves(index: TableIndex, { columns, isUnique }: Wanted): boolean {
  if (isUnique && (!index.isUnique || index.columns.length !== columns.length)) return false;
  return columns.every((column, at) =>
    isUnique ? index.columns.includes(column) : index.columns[at] === column,
  );
}
