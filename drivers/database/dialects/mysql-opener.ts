import { createRequire } from 'node:module';
import type * as mysql2 from 'mysql2';
import type { Opener } from '../opener.js';
import { disconnect, type MysqlConnection } from './mysql-connection.js';

/** What the package mysql2 keeps to itself of a connection. */
interface Inside {
  readonly _fatalError: unknown;
  readonly _protocolError: unknown;
  readonly _closing: boolean;
  readonly stream: { readonly destroyed: boolean; destroy(): void };
}

/** Opens connections to MySQL and MariaDB. The only place that loads mysql2 itself, and only once it is needed. */
export function mysqlOpener(address: object, readyMs: number): Opener<MysqlConnection> {
  const isLost = (connection: MysqlConnection): boolean => {
    const { _fatalError, _protocolError, _closing, stream } = connection as unknown as Inside;
    return Boolean(_fatalError || _protocolError || _closing || stream.destroyed);
  };
  return {
    client: 'mysql2',
    readyMs,
    open: () =>
      new Promise((resolve, reject) => {
        // As what it is, CommonJS: imported it takes half as long again.
        const { createConnection }: typeof mysql2 = createRequire(import.meta.url)('mysql2');
        const connection = createConnection({ connectTimeout: readyMs, ...address });
        connection.on('error', () => undefined);
        connection.connect((error) => {
          if (!error) return resolve(connection);
          disconnect(connection); // one that was refused would stay until the server closes it
          reject(error);
        });
      }),
    isLost,
    close: (connection) =>
      new Promise((resolve) => {
        if (!isLost(connection)) connection.end(() => resolve());
        else {
          (connection as unknown as Inside).stream.destroy();
          resolve();
        }
      }),
  };
}
