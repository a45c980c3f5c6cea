import type { Lease } from '../../../src/index.js';

/** What a delivery left in its row. */
export interface LeaseMark {
  readonly id: string;
  /** The column `attempts` while it lasts. Each delivery has its own, unless it was postponed, up to where counting ends. */
  readonly attempts: string;
  /** The second that the reservation counts from, where it is known: an extension elsewhere moves it. */
  readonly since: number | undefined;
}

/**
 * How leases are found in their rows. The columns have no room for a token: a row's id and its attempts tell one
 * delivery from the next. The time of the reservation is compared as well for leases that this connector gave out or
 * extended, which is what holds where attempts say nothing: after a postpone, at their bound, and in tables whose ids or
 * attempts somebody has set back.
 */
export class LeaseMarks {
  readonly #since = new WeakMap<Lease, number>();

  /** Text that finds the row again in whatever process. */
  handleOf(id: number | string, attempts: number): string {
    return `${id}:${attempts}`;
  }

  /** Notes the time that a reservation counts from. */
  note(lease: Lease, since: number): void {
    this.#since.set(lease, since);
  }

  /** The time is not known any more: what should have changed it may have done so. */
  forget(lease: Lease): void {
    this.#since.delete(lease);
  }

  of(lease: Lease): LeaseMark {
    const [id = '', attempts = ''] = String(lease.handle).split(':');
    return { id, attempts, since: this.#since.get(lease) };
  }
}
