import { QueueError } from '../../src/errors.js';
import { hasBoard } from './board.js';
import type { Begin, Order } from './protocol.js';

type Later = Exclude<Order, { type: 'begin' }>;

/** The orders of the supervisor to this process. None is lost: those that nobody listens to yet wait. One a process. */
export class Orders {
  /** Resolves with the first order. */
  readonly begun: Promise<Begin>;
  readonly #waiting: Later[] = [];
  #listener: ((order: Later) => void) | undefined;
  #gone: () => void = () => process.exit(0); // nothing was begun

  /** @throws QueueError `E_USAGE` in a process that no supervisor has started. */
  constructor() {
    if (process.send === undefined || !hasBoard()) {
      throw new QueueError('E_USAGE', '--supervised is for the processes that queue:work starts itself');
    }
    process.on('disconnect', () => this.#gone());
    this.begun = new Promise((resolve) => {
      process.on('message', (order: Order) => {
        if (order.type === 'begin') resolve(order);
        else if (this.#listener) this.#listener(order);
        else this.#waiting.push(order);
      });
    });
  }

  /** @param gone called when the supervisor is no more. */
  listen(listener: (order: Later) => void, gone: () => void): void {
    this.#listener = listener;
    this.#gone = gone;
    for (const order of this.#waiting.splice(0)) listener(order);
    if (!process.connected) gone();
  }
}
