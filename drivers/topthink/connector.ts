import { randomUUID } from 'node:crypto';
import {
  type Connector,
  type DriverContext,
  isQueueError,
  type Lease,
  type NewJob,
  type PushOutcome,
  QueueError,
  type QueueSize,
  type Release,
  type ReservedJob,
} from '../../src/index.js';
import type { Service } from './service.js';

/** A message that the service sends to the endpoint. */
export interface DeliveredMessage {
  readonly id: string;
  readonly queue: string;
  readonly body: string;
  /** Deliveries so far, this one included. */
  readonly attempts: number;
  /** Why the service sends it no more, where it has given it up. */
  readonly givenUp?: string;
}

/** A delivery while its job runs. */
interface Delivery {
  readonly message: DeliveredMessage;
  /** True once the message is stored afresh, so that a repeated release does not store it again. */
  isStoredAgain: boolean;
  /** True once the answer to a removal was lost: a message that is gone then was removed by it. */
  mayBeRemoved: boolean;
  isSettled: boolean;
}

/**
 * The service stores and removes single messages, and sends them to the endpoint when they are due: there is nothing
 * to reserve, to count or to look at.
 */
export class TopthinkConnector implements Connector {
  readonly #service: Service;
  readonly #context: DriverContext;
  /** By lease token. */
  readonly #deliveries = new Map<string, Delivery>();

  constructor(service: Service, context: DriverContext) {
    this.#service = service;
    this.#context = context;
  }

  /** Takes one job a call: the service cannot store several all or none. */
  async push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    const [job, ...others] = jobs;
    if (job === undefined) return [];
    if (others.length > 0) {
      throw new QueueError(
        'E_UNSUPPORTED',
        'the service stores one job at a time, and never several or none',
        {
          fix: 'Push the jobs one by one, in place of bulk or pushMany.',
        },
      );
    }
    const { body, delayMs = 0, availableAtMs } = job;
    const waitMs = availableAtMs === undefined ? delayMs : availableAtMs - this.#context.clock.now();
    const message = { payload: body, attempts: 0, delaySeconds: wholeSeconds(waitMs) };
    return [{ storedAs: await this.#service.push(queue, message) }];
  }

  /**
   * Runs the job of a message and settles it at the service. Never rejects; answers whether the message is settled,
   * without which the service is to send it again.
   */
  async deliver(message: DeliveredMessage): Promise<boolean> {
    const { runInline, logger } = this.#context;
    const lease = { queue: message.queue, token: randomUUID(), handle: message.id };
    const delivery = { message, isStoredAgain: false, mayBeRemoved: false, isSettled: false };
    this.#deliveries.set(lease.token, delivery);
    try {
      await runInline({ ...message, lease }, this);
    } catch (error) {
      // One of a job that is settled has been told by then, as an event and in the log.
      if (!delivery.isSettled) {
        const { id, queue } = message;
        logger.error({ id, queue, err: error }, 'a message was not settled: the service has it still');
      }
    } finally {
      this.#deliveries.delete(lease.token);
    }
    return delivery.isSettled;
  }

  async delete(leases: readonly Lease[]): Promise<boolean[]> {
    return await this.#settle(leases, (delivery) => this.#remove(delivery));
  }

  async #remove(delivery: Delivery): Promise<boolean> {
    const { queue, id, givenUp } = delivery.message;
    if (givenUp !== undefined) return true;
    try {
      return (await this.#service.remove(queue, id)) || delivery.mayBeRemoved;
    } catch (error) {
      delivery.mayBeRemoved ||= isQueueError(error) && error.ambiguous;
      throw error;
    }
  }

  /** Stores the message afresh, then removes the old one: who dies in between leaves two, where PHP leaves none. */
  async release(releases: readonly Release[]): Promise<boolean[]> {
    const byToken = new Map(releases.map((release) => [release.lease.token, release]));
    return await this.#settle(
      releases.map(({ lease }) => lease),
      async (delivery, { token }) => {
        const { queue, body, attempts } = delivery.message;
        const { delayMs = 0 } = byToken.get(token) ?? {};
        const afresh = { payload: body, attempts, delaySeconds: wholeSeconds(delayMs) };
        if (!delivery.isStoredAgain) await this.#service.push(queue, afresh);
        delivery.isStoredAgain = true;
        await this.#remove(delivery); // gone already or not: it is stored afresh
        return true;
      },
    );
  }

  /** All at once, each no second time: the whole is repeated after an error of one. */
  async #settle(
    leases: readonly Lease[],
    settle: (delivery: Delivery, lease: Lease) => Promise<boolean>,
  ): Promise<boolean[]> {
    const ends = await Promise.allSettled(
      leases.map(async (lease) => {
        const delivery = this.#deliveries.get(lease.token);
        if (delivery && !delivery.isSettled) delivery.isSettled = await settle(delivery, lease);
        return delivery?.isSettled ?? false;
      }),
    );
    return ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
  }

  reserve(): Promise<ReservedJob[]> {
    return unsupported(
      'hand out jobs',
      'no worker is needed: they come through the endpoint of the connection',
    );
  }

  /** A delivery is held for as long as its job runs: the service says nothing of a time. */
  async extend(leases: readonly Lease[]): Promise<boolean[]> {
    return leases.map(({ token }) => this.#deliveries.get(token)?.isSettled === false);
  }

  size(): Promise<QueueSize> {
    return unsupported('count jobs', 'ask the service itself');
  }

  clear(): Promise<QueueSize> {
    return unsupported('clear a queue', 'ask the service itself');
  }

  async close(): Promise<void> {
    this.#service.close();
  }
}

/** Rounded up: no job is due before its time. */
function wholeSeconds(ms: number): number {
  return Math.max(0, Math.ceil(ms / 1000));
}

function unsupported(what: string, instead: string): Promise<never> {
  return Promise.reject(
    new QueueError('E_UNSUPPORTED', `the push service of topthink cannot ${what}: ${instead}`),
  );
}
