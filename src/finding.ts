/** What one check of `queue:doctor` came to. */
export interface Finding {
  /** What was looked at: `eviction`, `schema`. Stable, so that scripts can go by it. */
  readonly check: string;
  /** `error` where jobs can be lost, run twice or not run at all; `warning` where somebody should have a look. */
  readonly status: 'ok' | 'warning' | 'error';
  /** What was found, as one sentence without credentials. */
  readonly message: string;
  /** What to change, naming the setting or the command. Present unless all is well. */
  readonly fix?: string;
}

/** Clocks that differ by more than this, in ms, are worth a warning: `at`, `retryUntil` and records are off by it. */
const mostSkewMs = 1000;

/**
 * Compares the clock of a store with the one of this host. Pure.
 *
 * @param askedMs when the store was asked, by the host's clock in ms since the epoch.
 * @param storeMs what it said.
 * @param heardMs when the answer was there.
 */
export function clockFinding(askedMs: number, storeMs: number, heardMs: number): Finding {
  const check = 'clock';
  // The answer was made at some time in between.
  const skewMs = storeMs < askedMs ? storeMs - askedMs : Math.max(0, storeMs - heardMs);
  const words = `${Math.abs(Math.round(skewMs)) / 1000} s ${skewMs < 0 ? 'behind' : 'ahead of'}`;
  if (Math.abs(skewMs) <= mostSkewMs) {
    return { check, status: 'ok', message: 'the clocks of the store and of this host agree' };
  }
  return {
    check,
    status: 'warning',
    message: `the store's clock is ${words} this host's: times set with \`at\` and \`retryUntil\` are off by that`,
    fix: 'Set both clocks by NTP.',
  };
}

/** What is known of a network connection: a socket of Node has these. */
export interface SocketFacts {
  readonly encrypted?: boolean | undefined;
  /** Absent for a Unix socket. */
  readonly remoteAddress?: string | undefined;
}

/** Whether others on the network can read along. Pure. */
export function encryptionFinding({ encrypted, remoteAddress }: SocketFacts): Finding {
  const check = 'tls';
  if (encrypted) return { check, status: 'ok', message: 'the connection is encrypted' };
  if (remoteAddress === undefined || /^(?:127\.|::1$|::ffff:127\.)/.test(remoteAddress)) {
    return { check, status: 'ok', message: 'the connection stays on this host' };
  }
  return {
    check,
    status: 'warning',
    message: `the connection to ${remoteAddress} is not encrypted: payloads and passwords can be read on the way`,
    fix: 'Turn on TLS for the connection, unless the network between is private.',
  };
}
