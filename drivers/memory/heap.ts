/** A binary heap: the item that comes before all others is found at once, and taken in O(log n). */
export class Heap<Item> {
  readonly #items: Item[] = [];
  readonly #isBefore: (a: Item, b: Item) => boolean;

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  get length(): number {
    return this.#items.length;
  }

  /** The first item, left in place. */
  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let index = items.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = items[parentIndex] as Item;
      if (!this.#isBefore(item, parent)) break;
      items[index] = parent;
      index = parentIndex;
    }
    items[index] = item;
  }

  /** Takes the first item out. */
  pop(): Item | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return first;
  }

  clear(): void {
    this.#items.length = 0;
  }

  /** The items in no particular order. */
  [Symbol.iterator](): Iterator<Item> {
    return this.#items.values();
  }

  /** Puts `item` in the free place at the top and lets it sink to where it belongs. */
  #sink(item: Item): void {
    const items = this.#items;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= items.length) break;
      const rightIndex = childIndex + 1;
      if (rightIndex < items.length && this.#isBefore(items[rightIndex] as Item, items[childIndex] as Item)) {
        childIndex = rightIndex;
      }
      const child = items[childIndex] as Item;
      if (!this.#isBefore(child, item)) break;
      items[index] = child;
      index = childIndex;
    }
    items[index] = item;
  }
}
