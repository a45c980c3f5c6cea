import { QueueError } from '../../src/index.js';
import type { KnexInstance } from './knex-types.js';
import { type DatabaseKind, kindOfInstance } from './target.js';

/** A knex transaction, described by what the driver uses of it. */
interface KnexTransaction extends KnexInstance {
  readonly isTransaction: true;
  isCompleted(): boolean;
}

/**
 * The connection that a transaction of the application has. It stays the application's: it is neither given back
 * nor cut off.
 *
 * @throws QueueError `E_CONFIG` for what is no open knex transaction on a database of this kind.
 */
export async function connectionOf<Connection>(
  transaction: unknown,
  kind: DatabaseKind,
): Promise<Connection> {
  const fix = 'Give the argument of knex.transaction(async (trx) => …), while it is open.';
  if (!isTransaction(transaction))
    throw new QueueError('E_CONFIG', 'this is no transaction of knex', { fix });
  if (transaction.isCompleted()) {
    throw new QueueError('E_CONFIG', 'the transaction has ended; nothing was done in it', { fix });
  }
  const theirs = kindOfInstance(transaction);
  if (theirs !== kind) {
    throw new QueueError('E_CONFIG', `the transaction is one of ${theirs}, the jobs are in ${kind}`, {
      fix: 'Give a transaction on the database that the jobs are in.',
    });
  }
  return await transaction.client.acquireConnection();
}

function isTransaction(value: unknown): value is KnexTransaction {
  return (
    typeof value === 'function' &&
    'client' in value &&
    'isTransaction' in value &&
    value.isTransaction === true &&
    'isCompleted' in value &&
    typeof value.isCompleted === 'function'
  );
}
