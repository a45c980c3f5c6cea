import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An authority of its own for one test file, and a certificate that it made out to 127.0.0.1. */
export interface Certificates {
  /** The authority's certificate, as text. */
  readonly ca: string;
  /** The server's own, for servers in this process. */
  readonly server: { readonly key: string; readonly cert: string };
  /** Files of the same, which any user may read. */
  readonly files: { readonly key: string; readonly cert: string };
  /** Flags of redis-server that make it speak TLS on a port beside the plain one, to clients without certificates. */
  flags(tlsPort: number): string[];
  remove(): void;
}

/** Makes both with openssl. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'drover-tls-'));
  const file = (name: string): string => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', file('ca.key'), '-out', file('ca.crt'), '-subj', '/CN=test-ca');
  openssl('req', ...key, '-keyout', file('server.key'), '-out', file('server.csr'), '-subj', '/CN=127.0.0.1');
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1');
  const signer = [
    '-CA',
    file('ca.crt'),
    '-CAkey',
    file('ca.key'),
    '-CAcreateserial',
    '-extfile',
    file('names'),
  ];
  openssl('x509', '-req', '-in', file('server.csr'), ...signer, '-days', '2', '-out', file('server.crt'));
  const own = ['--tls-cert-file', file('server.crt'), '--tls-key-file', file('server.key')];
  const files = { key: file('server.key'), cert: file('server.crt') };
  chmodSync(folder, 0o755); // servers run as users of their own
  chmodSync(files.key, 0o644);
  return {
    files,
    ca: readFileSync(file('ca.crt'), 'utf8'),
    server: { key: readFileSync(file('server.key'), 'utf8'), cert: readFileSync(file('server.crt'), 'utf8') },
    flags: (tlsPort) => [
      ...['--tls-port', String(tlsPort), '--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', 'no'],
      ...own,
    ],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function openssl(...args: string[]): void {
  const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`openssl ${args[0]}: ${error?.message ?? stderr}. The tests of TLS need openssl.`);
}
