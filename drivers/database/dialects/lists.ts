/** Cuts a list into parts of at most `length`, for statements that take only so much. */
export function* partsOf<T>(list: readonly T[], length: number): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += length) yield list.slice(from, from + length);
}

/**
 * Cuts a list into parts of 1, 2, 4 … items, so that few texts of statements serve all lengths, of at most so many
 * characters each unless one item alone has more.
 */
export function batchesOf<T>(
  list: readonly T[],
  most: { readonly items: number; readonly characters: number },
  charactersOf: (item: T) => number,
): (readonly T[])[] {
  const characters = (part: readonly T[]): number => part.reduce((sum, item) => sum + charactersOf(item), 0);
  const batches: (readonly T[])[] = [];
  for (let from = 0; from < list.length; ) {
    let count = Math.min(most.items, 2 ** Math.floor(Math.log2(list.length - from)));
    while (count > 1 && characters(list.slice(from, from + count)) > most.characters) count /= 2;
    batches.push(list.slice(from, from + count));
    from += count;
  }
  return batches;
}

/** The texts of a statement by a count, each made once: for counts that are powers of two, so that few come. */
export function byCount(textOf: (count: number) => string): (count: number) => string {
  const texts: string[] = [];
  return (count) => {
    texts[count] ??= textOf(count);
    return texts[count];
  };
}

/** The items by their queue, in the order in which the queues first come. */
export function byQueue<T extends { readonly queue: string }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.queue);
    if (group === undefined) groups.set(item.queue, [item]);
    else group.push(item);
  }
  return groups;
}
