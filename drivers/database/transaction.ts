import { QueueError } from '../../src/index.js';
import type { KnexInstance } from './knex-types.js';
import { type DatabaseKind, kindOfInstance } from './target.js';

/** A knex transaction, described by what the driver uses of it. */
interface KnexTransaction extends KnexInstance {
  readonly isTransaction: true;
  isCompleted(): boolean;
  /** Of a transaction inside another one. */
  readonly parentTransaction?: KnexTransaction;
  /** Settles when the transaction has ended, however. */
  readonly executionPromise?: Promise<unknown>;
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

/** Calls back when a knex transaction has ended, committed or not; with the outermost where it is inside others. */
export function afterEnd(transaction: unknown, callback: () => void): void {
  let outermost = transaction as KnexTransaction;
  while (outermost.parentTransaction !== undefined) outermost = outermost.parentTransaction;
  // An error in it is the application's to hear.
  outermost.executionPromise?.then(callback, callback);
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
