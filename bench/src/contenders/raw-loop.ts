import { setTimeout as pause } from 'node:timers/promises';
import type { Handle, JobData } from '../contender.js';

/** A job as a table has it. */
export interface Row {
  readonly id: string | number;
  readonly payload: string;
}

/** Forgets the jobs that were handled, and takes the next: one batch. */
export type Next = (handled: readonly Row['id'][]) => Promise<readonly Row[]>;

/** Handles batch after batch, and looks every millisecond where there is nothing. */
export async function handleBatches(next: Next, handle: Handle): Promise<never> {
  for (let handled: Row['id'][] = []; ; ) {
    const rows = await next(handled);
    const underWay = rows.flatMap(({ payload }) => handle(JSON.parse(payload) as JobData) ?? []);
    if (underWay.length > 0) await Promise.all(underWay);
    handled = rows.map(({ id }) => id);
    if (rows.length === 0) await pause(1);
  }
}

/** How many batches are worth having under way: more only wait for each other. */
export function lanesFor(concurrency: number, batch: number): number {
  return Math.min(concurrency, batch === 1 ? 10 : 2);
}

/** Does something `count` times side by side. */
export function sideBySide(count: number, work: () => Promise<never>): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, work));
}
