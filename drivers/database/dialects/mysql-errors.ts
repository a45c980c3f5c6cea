import { QueueError } from '../../../src/index.js';
import { codeOf, explainCode, foreignTables, lacksSchema, type Meaning, messageOf } from '../errors.js';
import { networkMeanings } from '../server-errors.js';

/**
 * Deadlock, lock wait timeout, a row that changed since the snapshot (MariaDB), a table that changed since the
 * statement was prepared.
 */
const conflict = /^(?:1213|1205|1020|1615)$/;

/** By the server's number where it gave one, else by the client's code. */
const meanings: readonly Meaning[] = [
  {
    codes: conflict,
    code: 'E_STORE_UNAVAILABLE',
    what: 'keeps rows locked for another transaction; nothing was changed',
    fix: "Look for transactions that are kept open on drover's tables.",
    transient: true,
  },
  {
    // Server gone, lost while it ran, idle for too long, shutting down, killed.
    codes: /^(?:2006|2013|4031|1053|1927|1080|PROTOCOL_CONNECTION_LOST)$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'dropped the connection before it answered; whether it did what was asked is open',
    fix: 'Check that the server runs there and can be reached.',
    transient: true,
    ambiguous: true,
  },
  {
    codes: /^(?:1317|3024|1969)$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'ended the statement early; nothing was changed',
    fix: 'Look for a limit on the time of statements, or for who kills them.',
    transient: true,
  },
  {
    codes: /^(?:1040|1203|1226)$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'has no connection left; nothing was sent',
    fix: 'Raise max_connections or max_user_connections, or let each process have a smaller pool.',
    transient: true,
  },
  {
    codes: /^(?:1290|1836|1792)$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is a replica or otherwise read-only',
    fix: 'After a failover this passes; otherwise connect to the primary.',
    transient: true,
  },
  {
    codes: /^(?:1114|1021|3675)$/,
    code: 'E_STORE_FULL',
    what: 'has no space left; nothing was changed',
    fix: 'Free space on the disk of the server.',
    transient: true,
  },
  {
    codes: /^1153$/,
    code: 'E_PAYLOAD_TOO_LARGE',
    what: 'takes no packet of that size',
    fix: 'Raise max_allowed_packet on the server, or push where to find large data.',
    transient: false,
  },
  {
    codes: /^(?:1045|1044|1142|1143|1227|1698|1251|1130|1049)$/,
    code: 'E_CONFIG',
    what: 'refuses the user, the password or the database',
    fix: 'Check them in the URL, where they must be percent-encoded, and the rights of the user.',
    transient: false,
  },
  {
    // A unique key, a column without a default, a text too long or in another character set.
    codes: /^(?:1062|1364|1406|1265|1366|1048|1452|3819|4025)$/,
    code: 'E_STORE_SCHEMA',
    what: 'has a table with rules of its own that refuse the row',
    fix: 'Give drover its own tables: set the options table, failedTable, signalsTable and workersTable.',
    transient: false,
  },
  {
    codes: /^1461$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'has no room for more prepared statements',
    fix: 'Raise max_prepared_stmt_count on the server.',
    transient: true,
  },
  ...networkMeanings,
];

/** True where the server has undone what was asked and the same call may pass right away. */
export function isMysqlConflict(error: unknown): boolean {
  return conflict.test(numberOf(error));
}

/** The error for what the server or mysql2 throw. */
export function explainMysql(cause: unknown, place: string): QueueError {
  const code = numberOf(cause);
  if (code === '1050') return foreignTables(cause, place);
  if (code === '1146' || code === '1054') return lacksSchema(cause, place);
  // mysql2 gives this one no code.
  const isClosed = /connection is in closed state/.test(messageOf(cause));
  const known = isClosed ? 'PROTOCOL_CONNECTION_LOST' : isUnanswered(cause) ? 'EHOSTUNREACH' : code;
  return (
    explainCode(meanings, known, cause, place) ??
    new QueueError('E_STORE_UNAVAILABLE', `${place}: ${messageOf(cause)}`, { cause })
  );
}

/** True where no connection was made in time, which mysql2 says as it does of one that was lost. */
function isUnanswered(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    'syscall' in cause &&
    cause.syscall === 'connect' &&
    codeOf(cause) === 'ETIMEDOUT'
  );
}

/** The server's number; errors of the network have one of the system, below 0, beside their code. */
function numberOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  return typeof errno === 'number' && errno > 0 ? String(errno) : codeOf(error);
}
