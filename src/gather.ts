import { isQueueError } from './errors.js';

interface Waiter<Answer> {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Collects what is asked for in one turn of the event loop and does it in one call, which answers for each in its order. */
export class Gather<Item, Answer = boolean> {
  readonly #inline: boolean;
  readonly #run: (items: Item[]) => Promise<Answer[]>;
  #items: Item[] = [];
  #waiting: Waiter<Answer>[] = [];

  constructor(inline: boolean, run: (items: Item[]) => Promise<Answer[]>) {
    this.#inline = inline;
    this.#run = run;
  }

  add(item: Item): Promise<Answer> {
    if (this.#inline) return this.#run([item]).then(([answer]) => answer as Answer);
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
      const answers = await this.#run(items);
      for (const [index, waiter] of waiting.entries()) waiter.resolve(answers[index] as Answer);
    } catch (error) {
      if (items.length === 1 || (isQueueError(error) && error.transient)) {
        for (const waiter of waiting) waiter.reject(error);
        return;
      }
      // What the store refuses may be one of them: the others shall not go down with it.
      for (const [index, waiter] of waiting.entries()) await this.#runOne(items[index] as Item, waiter);
    }
  }

  async #runOne(item: Item, waiter: Waiter<Answer>): Promise<void> {
    try {
      waiter.resolve((await this.#run([item]))[0] as Answer);
    } catch (error) {
      waiter.reject(error);
    }
  }
}
