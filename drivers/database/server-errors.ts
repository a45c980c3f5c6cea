import type { Meaning } from './errors.js';

/** What the network says of a database server that cannot be reached, or no longer. */
export const networkMeanings: readonly Meaning[] = [
  {
    codes: /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|EADDRNOTAVAIL)$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'cannot be reached; nothing was sent',
    fix: 'Check that the server runs there and can be reached.',
    transient: true,
  },
  {
    codes: /^(?:ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED)$/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'dropped the connection before it answered; whether it did what was asked is open',
    fix: 'Check that the server runs there and can be reached.',
    transient: true,
    ambiguous: true,
  },
  {
    codes: /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|HANDSHAKE_)/,
    code: 'E_CONFIG',
    what: 'and this side do not agree about TLS',
    fix: 'Check the TLS settings of the connection and the certificate of the server.',
    transient: false,
  },
];
