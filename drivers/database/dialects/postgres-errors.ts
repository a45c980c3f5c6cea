import { QueueError } from '../../../src/index.js';
import { codeOf, explainCode, foreignTables, lacksSchema, type Meaning, messageOf } from '../errors.js';
import { networkMeanings } from '../server-errors.js';
import { isStalePlan } from './postgres-connection.js';

/** Serialization failure, deadlock, lock not available. */
const conflict = /^(?:40001|40P01|55P03)$/;

/** By SQLSTATE where the server gave one, else by the code of the network. */
const meanings: readonly Meaning[] = [
  {
    codes: conflict,
    code: 'E_STORE_UNAVAILABLE',
    what: 'keeps rows locked for another transaction; nothing was changed',
    fix: "Look for transactions that are kept open on drover's tables.",
    transient: true,
  },
  {
    codes: /^57P03$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is starting up or shutting down; nothing was sent',
    fix: 'Wait until the server takes connections.',
    transient: true,
  },
  {
    codes: /^(?:57P01|57P02|57P05|25P03|08...)$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'dropped the connection before it answered; whether it did what was asked is open',
    fix: 'Check that the server runs there and can be reached.',
    transient: true,
    ambiguous: true,
  },
  {
    codes: /^(?:57014|53200)$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'ended the statement early; nothing was changed',
    fix: 'Look for a limit on time or memory of statements, or for who cancels them.',
    transient: true,
  },
  {
    codes: /^53[34]00$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'has no connection left; nothing was sent',
    fix: 'Raise max_connections, or let each process have a smaller pool.',
    transient: true,
  },
  {
    codes: /^25006$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is a replica or otherwise read-only',
    fix: 'After a failover this passes; otherwise connect to the primary.',
    transient: true,
  },
  {
    codes: /^53100$/,
    code: 'E_STORE_FULL',
    what: 'has no space left; nothing was changed',
    fix: 'Free space on the disk of the server.',
    transient: true,
  },
  {
    codes: /^(?:22021|22P05)$/,
    code: 'E_PAYLOAD_INVALID',
    what: 'cannot keep a character of the text',
    fix: 'Leave out NUL, and use a database whose encoding is UTF8.',
    transient: false,
  },
  {
    codes: /^54000$/,
    code: 'E_PAYLOAD_TOO_LARGE',
    what: 'takes no text of that length',
    fix: 'Keep large data elsewhere and push where to find it.',
    transient: false,
  },
  {
    codes: /^(?:28...|42501|3D000)$/,
    code: 'E_CONFIG',
    what: 'refuses the user, the password or the database',
    fix: 'Check them in the URL, where they must be percent-encoded, and the rights of the user.',
    transient: false,
  },
  {
    // A unique key, a column that may not be empty, a text too long.
    codes: /^(?:23...|22001)$/,
    code: 'E_STORE_SCHEMA',
    what: 'has a table with rules of its own that refuse the row',
    fix: 'Give drover its own tables: set the options table, failedTable, signalsTable and workersTable.',
    transient: false,
  },
  {
    codes: /^XX00[12]$/,
    code: 'E_STORE_CORRUPT',
    what: 'says that its data are damaged; they were left as they are',
    fix: 'Look into the log of the server, and restore a backup.',
    transient: false,
  },
  ...networkMeanings,
];

/** True where the server has undone what was asked and the same call may pass right away. */
export function isPostgresConflict(error: unknown): boolean {
  return conflict.test(codeOf(error)) || isStalePlan(error);
}

/** The error for what the server or pg throw. */
export function explainPostgres(cause: unknown, place: string): QueueError {
  const code = codeOf(cause);
  if (code === '42P07') return foreignTables(cause, place);
  if (/^(?:42P01|42703|42P10|42804|3F000)$/.test(code)) return lacksSchema(cause, place);
  return (
    explainCode(meanings, codeOfLost(cause) ?? code, cause, place) ??
    new QueueError('E_STORE_UNAVAILABLE', `${place}: ${messageOf(cause)}`, { cause })
  );
}

/** pg gives no code to what it says of a lost connection and of a password that it was not given. */
function codeOfLost(cause: unknown): string | undefined {
  const message = messageOf(cause);
  if (/^Connection terminated|not queryable|connection is closed|Client was closed/i.test(message))
    return '08006';
  if (/^timeout expired$/.test(message)) return 'ECONNREFUSED';
  if (/server does not support SSL/.test(message)) return 'HANDSHAKE_NO_SSL_SUPPORT'; // as mysql2 calls it
  if (message.startsWith('SASL')) return '28000';
  return undefined;
}
