import { type MysqlConnection, runText } from './mysql-connection.js';

const known = new WeakMap<MysqlConnection, string>();

/** What the server of a connection says that it is, such as `10.11.19-MariaDB-log` or `8.4.3`; asked once. */
export async function versionOf(connection: MysqlConnection): Promise<string> {
  let version = known.get(connection);
  if (version === undefined) {
    const [row] = await runText<{ version: string }[]>(connection, 'SELECT VERSION() AS version');
    version = row?.version ?? '';
    known.set(connection, version);
  }
  return version;
}

/** True for servers that know SKIP LOCKED: MariaDB from 10.6 on, MySQL from 8.0.1 on. */
export function canSkipLocked(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = numbersOf(version);
  if (isMariadb(version)) return major > 10 || (major === 10 && minor >= 6);
  return major > 8 || (major === 8 && (minor > 0 || patch >= 1));
}

/** True for MariaDB, which answers some questions that MySQL does not. */
export function isMariadb(version: string): boolean {
  return /mariadb/i.test(version);
}

/** MariaDB before 11 puts 5.5.5- in front where old replicas could see it. */
function numbersOf(version: string): number[] {
  const [, text = ''] = /^(?:5\.5\.5-)?(\d+(?:\.\d+)*)/.exec(version) ?? [];
  return text.split('.').map(Number);
}
