import { isQueueError } from './errors.js';

interface Waiter {
  resolve(held: boolean): void;
  reject(error: unknown): void;
}

/** Collects what is asked for in one turn of the event loop and does it in one call. */
export class Gather<Item> {
  readonly #inline: boolean;
  readonly #run: (items: Item[]) => Promise<boolean[]>;
  #items: Item[] = [];
  #waiting: Waiter[] = [];

  constructor(inline: boolean, run: (items: Item[]) => Promise<boolean[]>) {
    this.#inline = inline;
    this.#run = run;
  }

  add(item: Item): Promise<boolean> {
    if (this.#inline) return this.#run([item]).then(([held]) => held === true);
    return new Promise((resolve, reject) => {
      if (this.#items.push(item) === 1) setImmediate(() => void this.#flush());
      this.#waiting.push({ resolve, reject });
    });
  }

  async #flush(): Promise<void> {
    const items = this.#items;
    const waiting = this.#waiting;
    this.#items = [];
    this.#waiting = [];
    try {
      const held = await this.#run(items);
      for (const [index, waiter] of waiting.entries()) waiter.resolve(held[index] === true);
    } catch (error) {
      if (items.length === 1 || (isQueueError(error) && error.transient)) {
        for (const waiter of waiting) waiter.reject(error);
        return;
      }
      // What the store refuses may be one of them: the others shall not go down with it.
      for (const [index, waiter] of waiting.entries()) await this.#runOne(items[index] as Item, waiter);
    }
  }

  async #runOne(item: Item, waiter: Waiter): Promise<void> {
    try {
      waiter.resolve((await this.#run([item]))[0] === true);
    } catch (error) {
      waiter.reject(error);
    }
  }
}
