import type { Lease, Release } from '../../../src/index.js';
import { partsOf } from './lists.js';
import { changedBy, inMysqlTransaction, type MysqlConnection, padded, rowsOf } from './mysql-connection.js';
import type { MysqlJobStatements } from './mysql-job-statements.js';
import { isMariadb, versionOf } from './mysql-version.js';
import { answersFor } from './reserved-job.js';

/** What a settling statement is given: leases, filled up to a count that it has a text for. */
type Settle = (connection: MysqlConnection, releases: readonly Release[]) => Promise<number>;

/** A row's token, where its lease is held. */
export interface HeldRow {
  readonly lease_token: string;
}

/** Longer lists are settled in several statements of one transaction. */
export const longestList = 1024;

/**
 * Settles all that are held and tells which those were. The statement answers only how many it changed: where
 * that is not all of them it is taken back, and those that are held are locked before they are settled.
 */
export async function settleHeld(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  releases: readonly Release[],
  settle: Settle,
): Promise<boolean[]> {
  const leases = releases.map(({ lease }) => lease);
  const once = distinct(releases);
  const [only] = once;
  if (only === undefined) return [];
  const settleAll = async (list: readonly Release[]): Promise<number> => {
    let settled = 0;
    for (const part of partsOf(list, longestList)) settled += await settle(connection, part);
    return settled;
  };
  if (once.length === 1) return answersFor(leases, (await settleAll(once)) === 1 ? [only.lease.token] : []);
  const areAllHeld = await inMysqlTransaction(connection, async () => {
    if ((await settleAll(once)) === once.length) return true;
    throw new NotAllHeld();
  }).catch(orFalse);
  if (areAllHeld) return answersFor(leases, once.map(tokenOf));
  const held = await inMysqlTransaction(connection, async () => {
    const theirs = once.map(({ lease }) => lease);
    const tokens = new Set(await lockHeld(connection, sql, theirs));
    await settleAll(once.filter((release) => tokens.has(tokenOf(release))));
    return tokens;
  });
  return answersFor(leases, held);
}

/** Deletes the jobs whose leases are held, inside a transaction of the caller unless {@link isOneStatement}. */
export async function deleteHeld(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  leases: readonly Lease[],
): Promise<boolean[]> {
  const canTell = isMariadb(await versionOf(connection));
  const held: string[] = [];
  for (const part of partsOf(leases, longestList)) {
    if (canTell) held.push(...(await tokensOf(connection, sql.deleteReturning, part)));
    else held.push(...(await deleteLocked(connection, sql, part)));
  }
  return answersFor(leases, held);
}

/** True where {@link deleteHeld} takes one statement, which is a transaction by itself. */
export async function isOneStatement(
  connection: MysqlConnection,
  leases: readonly Lease[],
): Promise<boolean> {
  return leases.length === 1 || (leases.length <= longestList && isMariadb(await versionOf(connection)));
}

async function deleteLocked(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  leases: readonly Lease[],
): Promise<string[]> {
  const remove = (some: readonly Lease[]): Promise<number> => {
    const bound = bindHeld(some);
    return changedBy(connection, sql.delete(bound.length / 2), bound);
  };
  // Of one the count tells.
  if (leases.length === 1) return (await remove(leases)) === 1 ? leases.map(({ token }) => token) : [];
  const held = await tokensOf(connection, sql.lockHeld, leases);
  const tokens = new Set(held);
  const theirs = leases.filter(({ token }) => tokens.has(token));
  if (theirs.length > 0) await remove(theirs);
  return held;
}

/** Locks the jobs of those leases that are held, inside a transaction of the caller; answers their tokens. */
async function lockHeld(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  leases: readonly Lease[],
): Promise<string[]> {
  const held: string[] = [];
  for (const part of partsOf(leases, longestList))
    held.push(...(await tokensOf(connection, sql.lockHeld, part)));
  return held;
}

async function tokensOf(
  connection: MysqlConnection,
  statement: (count: number) => string,
  leases: readonly Lease[],
): Promise<string[]> {
  const bound = bindHeld(leases);
  const rows = await rowsOf<HeldRow>(connection, statement(bound.length / 2), bound);
  return rows.map(({ lease_token }) => lease_token);
}

/** Rolls a settlement back. */
class NotAllHeld extends Error {}

function orFalse(error: unknown): false {
  if (error instanceof NotAllHeld) return false;
  throw error;
}

function tokenOf({ lease }: Release): string {
  return lease.token;
}

function distinct(releases: readonly Release[]): Release[] {
  const seen = new Map<string, Release>();
  for (const release of releases) {
    if (!seen.has(release.lease.token)) seen.set(release.lease.token, release);
  }
  return [...seen.values()];
}

/** The row ids and the tokens of leases, as the statements expect them. */
export function bindHeld(leases: readonly Lease[]): (string | number)[] {
  const all = padded(leases);
  return [...all.map(({ handle }) => handle), ...all.map(({ token }) => token)];
}
