import { type Lease, type NewJob, type ReservedJob, randomText } from '../../../src/index.js';

/** The columns of a job that was just reserved. */
export interface ReservedRow {
  readonly id: number | string;
  readonly job_id: string;
  readonly queue: string;
  readonly payload: string;
  /** With this delivery counted. */
  readonly attempts: number | string;
  readonly exceptions: number | string;
  readonly lease_token: string;
}

/** What all tokens of one reserve begin with; a colon follows, and what tells its jobs apart. */
export function newTokenStem(): string {
  return randomText(12, 'base64url');
}

/** The job that a row stands for. */
export function reservedJob(row: ReservedRow): ReservedJob {
  return {
    id: row.job_id,
    queue: row.queue,
    body: row.payload,
    attempts: Number(row.attempts),
    exceptions: Number(row.exceptions),
    lease: { queue: row.queue, token: row.lease_token, handle: row.id },
  };
}

/**
 * Answers for each lease whether it is among the tokens that were held. A lease that stands twice was held
 * one time.
 */
export function answersFor(leases: readonly Lease[], heldTokens: Iterable<string>): boolean[] {
  const held = new Set(heldTokens);
  return leases.map(({ token }) => held.delete(token));
}

/** Whether a pushed job is due at once: it has neither a delay nor a time. */
export function isDueAtOnce({ availableAtMs, delayMs = 0 }: NewJob): boolean {
  return availableAtMs === undefined && delayMs === 0;
}

/** When a pushed job is due, for a statement: a time in ms, or null for the delay in ms from now. */
export function dueOf(job: { availableAtMs?: number; delayMs?: number }): [number | null, number] {
  const { availableAtMs, delayMs = 0 } = job;
  return [availableAtMs === undefined ? null : Math.ceil(availableAtMs), Math.ceil(delayMs)];
}
