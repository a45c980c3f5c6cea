import { type ErrorCode, isQueueError, QueueError } from '../../src/index.js';

/** What becomes of one kind of error. */
interface Meaning {
  /** The message that Redis or the client gives, and the code where there is one. */
  readonly said: RegExp;
  readonly code: ErrorCode;
  /** Follows the name of the server. */
  readonly what: string;
  readonly fix: string;
  /** True where waiting alone may help: the worker then tries again instead of giving up. */
  readonly transient: boolean;
  /** True where the command may have been carried out. */
  readonly ambiguous?: boolean;
}

const meanings: readonly Meaning[] = [
  {
    said: /\bCLUSTERDOWN\b/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'has no master for this slot, or sees too few of the other nodes; nothing was changed',
    fix: 'It passes once every slot has a master: see CLUSTER INFO and CLUSTER NODES.',
    transient: true,
  },
  {
    said: /\bTRYAGAIN\b|\bASK \d|Too many Cluster redirections/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is giving this slot to another node; nothing was changed',
    fix: 'It passes once the slot has moved: see CLUSTER NODES.',
    transient: true,
  },
  {
    said: /\bCROSSSLOT\b|\bMOVED \d/,
    code: 'E_CONFIG',
    what: 'is a node of a Redis Cluster',
    fix: 'Write cluster: [{ host, port }] in place of url.',
    transient: false,
  },
  {
    said: /cluster support disabled/,
    code: 'E_CONFIG',
    what: 'is no node of a Redis Cluster',
    fix: 'Write url in place of cluster.',
    transient: false,
  },
  {
    said: /\bOOM\b/,
    code: 'E_STORE_FULL',
    what: 'has used all the memory that it may; nothing was changed',
    fix: 'Raise maxmemory, or let workers drain the queues: reserving and deleting still work.',
    transient: true,
  },
  {
    said: /\bMISCONF\b/,
    code: 'E_STORE_READONLY',
    what: 'takes no writes because it cannot save to its disk',
    fix: 'Look into the log of the Redis server; it goes on by itself once a save succeeds.',
    transient: true,
  },
  {
    said: /\bWRONGTYPE\b/,
    code: 'E_STORE_SCHEMA',
    what: "has something else under one of drover's keys; it was left as it is",
    fix: 'Choose another queue name or set a prefix, so that keys are not shared with another program.',
    transient: false,
  },
  {
    said: /\b(?:NOAUTH|WRONGPASS)\b|invalid password|without any password configured/,
    code: 'E_CONFIG',
    what: 'refuses the user or password',
    fix: 'Check user and password in the options or in the URL, where they must be percent-encoded.',
    transient: false,
  },
  {
    said: /\b(?:SELF_SIGNED_CERT\w*|\w+_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT\w+)$/,
    code: 'E_CONFIG',
    what: 'shows a certificate that is not trusted',
    fix: 'Set tls: { ca } to the certificate that signed it, and connect by a name that it is made out to.',
    transient: false,
  },
  {
    said: /\b(?:ERR_SSL|ERR_OSSL|EPROTO)\w*$/,
    code: 'E_CONFIG',
    what: 'could not agree on TLS with this client',
    fix: 'Check that the port speaks TLS, and tls: { ca, cert, key }; servers may ask for a certificate of the client.',
    transient: false,
  },
  {
    said: /EXEC without MULTI/,
    code: 'E_CONFIG',
    what: 'allows this user no transaction any more; whether it did what was asked is open',
    fix: 'Grant it what docs/deployment.md lists under "Rights".',
    transient: false,
    ambiguous: true,
  },
  {
    said: /\bNOPERM\b|user executing the script can't/,
    code: 'E_CONFIG',
    what: 'does not let this user run the commands or touch the keys',
    fix: 'Grant it what docs/deployment.md lists under "Rights".',
    transient: false,
  },
  {
    said: /DB index is out of range|invalid DB index/,
    code: 'E_CONFIG',
    what: 'has no database of that number',
    fix: 'Choose another db, or raise databases in redis.conf.',
    transient: false,
  },
  {
    said: /\bREADONLY\b/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is a replica, which takes no writes',
    fix: 'After a failover this passes; otherwise connect to the master.',
    transient: true,
  },
  {
    said: /\bECONNRESET\b|connection was lost while/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'dropped the connection while it was made; nothing was sent',
    fix: 'Check that Redis runs there; where the port speaks TLS, write rediss://, and tls: { cert, key } if it asks for them.',
    transient: true,
  },
  {
    said: /\bconnect ETIMEDOUT\b/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'could not be reached in time; nothing was sent',
    fix: 'Check that Redis runs there and can be reached; with rediss:// or tls, that the port speaks TLS.',
    transient: true,
  },
  {
    said: /All sentinels are unreachable/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is told by no sentinel',
    fix: 'Check that the sentinels can be reached, and that they watch a master of that name.',
    transient: true,
  },
  {
    // What a Cluster client of the application says of a command that it had sent, or maybe not.
    said: /^Connection is closed/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'was lost before it answered; whether it did what was asked is open',
    fix: 'Check that Redis runs there and can be reached.',
    transient: true,
    ambiguous: true,
  },
  {
    said: /max retries per request/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'dropped the connection before it answered; whether it did what was asked is open',
    fix: 'Check that Redis runs there and can be reached.',
    transient: true,
    ambiguous: true,
  },
  {
    said: /\bBUSY\b/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is busy with the script of some client',
    fix: 'Look for a slow script: redis-cli SCRIPT KILL ends one that has written nothing.',
    transient: true,
  },
];

const passing =
  /\b(?:LOADING|MASTERDOWN|UNBLOCKED|NOREPLICAS|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)\b|max number of clients|Stream connection ended|None of startup nodes|Failed to refresh slots|Cluster isn't ready/i;

/** The error for a package that is not installed; undefined for any other. */
export function explainPackage(cause: unknown): QueueError | undefined {
  if (!/^(?:ERR_)?MODULE_NOT_FOUND$/.test(codeOf(cause)) || !/\bioredis\b/.test(messageOf(cause)))
    return undefined;
  const what = 'the redis driver needs the package ioredis, which is not installed';
  return new QueueError('E_DRIVER_MISSING', what, { fix: 'Run: npm install ioredis@6', cause });
}

/**
 * The `QueueError` for anything that the client or Redis say.
 *
 * @param place names the server, without a password.
 */
export function explain(error: unknown, place: string): QueueError {
  if (isQueueError(error)) return error;
  const message = messageOf(error).trim();
  const cause = withoutCommand(error);
  const told = `${message} ${codeOf(error)}`.trim();
  const meaning = meanings.find(({ said }) => said.test(told));
  if (meaning !== undefined) {
    const { code, fix, transient, ambiguous = false } = meaning;
    return new QueueError(code, `${place} ${meaning.what} (${message})`, {
      fix,
      transient,
      ambiguous,
      cause,
    });
  }
  const isPassing = passing.test(told);
  return new QueueError('E_STORE_UNAVAILABLE', `${place}: ${message || codeOf(error) || 'no connection'}`, {
    fix: 'Check that Redis runs there and can be reached.',
    transient: isPassing,
    cause,
  });
}

/** ioredis hangs the command on its errors: the password of an AUTH, the payloads of a push. */
function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const copy = new Error(error.message);
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
