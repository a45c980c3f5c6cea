import { defaultTables, historyTable, type TableNames } from '../../migrations/index.js';
import { QueueError } from '../../src/index.js';
import type { DatabaseKind } from './target.js';

/** The options that name tables. */
export interface TableOptions {
  /** The table of jobs. Default `jobs`. */
  readonly table?: string;
  /** The table of given-up jobs. Default `failed_jobs`. */
  readonly failedTable?: string;
  /** The table of signals to workers. Default `queue_signals`. */
  readonly signalsTable?: string;
  /** The table of live workers. Default `queue_workers`. */
  readonly workersTable?: string;
  /** The table of statistics. Default `queue_statistics`. */
  readonly statisticsTable?: string;
  /** The table of ended jobs, for the option `history`. Default `queue_history`. */
  readonly historyTable?: string;
  /** Stands before the names of all tables. Default none. */
  readonly prefix?: string;
  /** The PostgreSQL schema of the tables, which migrations make. Default: the first of the search path. */
  readonly schema?: string;
}

/** On servers indexes are named after their table, and PostgreSQL cuts names after 63 characters. */
const longestOnServers = 48;

/**
 * Checks the names of the tables and of their schema, which only PostgreSQL has.
 *
 * @throws QueueError `E_CONFIG` naming the option.
 */
export function readTables(options: TableOptions, kind: DatabaseKind): TableNames {
  const { prefix = '' } = options;
  if (prefix !== '') identifier('prefix', prefix);
  const named = (key: keyof TableOptions, fallback: string): string => {
    const { [key]: given = fallback } = options;
    identifier(key, given);
    return identifier(key, `${prefix}${given}`, kind === 'sqlite' ? 63 : longestOnServers);
  };
  const tables = {
    jobs: named('table', defaultTables.jobs),
    failedJobs: named('failedTable', defaultTables.failedJobs),
    signals: named('signalsTable', defaultTables.signals),
    workers: named('workersTable', defaultTables.workers),
    statistics: named('statisticsTable', defaultTables.statistics),
    history: named('historyTable', defaultTables.history),
  };
  const names = [...Object.values(tables), historyTable].map((name) => name.toLowerCase());
  if (new Set(names).size < names.length) {
    const fix = `Give each its own name, other than ${historyTable}.`;
    throw invalid(
      'table, failedTable, signalsTable, workersTable, statisticsTable, historyTable: two tables have the same name',
      fix,
    );
  }
  const { schema } = options;
  return schema === undefined ? tables : { ...tables, schema: readSchema(schema, kind) };
}

function readSchema(schema: unknown, kind: DatabaseKind): string {
  if (kind !== 'postgres')
    throw invalid(`schema: ${kind} has none`, 'Leave it out; a prefix can set tables apart.');
  return identifier('schema', schema);
}

function identifier(key: string, name: unknown, longest = 63): string {
  const isName = typeof name === 'string' && /^[A-Za-z_]\w*$/.test(name) && !/^sqlite_/i.test(name);
  if (isName && name.length <= longest) return name;
  const fix = `Start with a letter or _, then letters, digits or _, at most ${longest} in all; not with sqlite_.`;
  throw invalid(`${key}: ${JSON.stringify(name)} cannot be the name of a table or schema`, fix);
}

function invalid(what: string, fix: string): QueueError {
  return new QueueError('E_CONFIG', what, { fix });
}
