/**
 * A set of objects that each know their place in it, under a key of their own. Adding and deleting hash nothing and
 * leave nothing to collect, unlike a `Set` through which every job goes.
 */
export class Bag<Key extends string, Item extends { [key in Key]: number }> {
  readonly #key: Key;
  readonly #items: Item[] = [];

  /** @param key where an item keeps its place; -1 while it is in no bag. */
  constructor(key: Key) {
    this.#key = key;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The items, in no order. */
  get items(): readonly Item[] {
    return this.#items;
  }

  add(item: Item): void {
    if (item[this.#key] !== -1) return;
    const place = this.#items.push(item) - 1;
    (item as Record<Key, number>)[this.#key] = place;
  }

  /** Answers whether it was there. */
  delete(item: Item): boolean {
    const place = item[this.#key];
    if (place === -1) return false;
    const last = this.#items.pop() as Item;
    if (last !== item) {
      this.#items[place] = last;
      (last as Record<Key, number>)[this.#key] = place;
    }
    (item as Record<Key, number>)[this.#key] = -1;
    return true;
  }
}
