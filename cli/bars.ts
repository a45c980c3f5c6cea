const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Values as bars of one line: the highest fills it, zero is blank, and what is above zero always shows. */
export function barsOf(values: readonly number[]): string {
  const highest = Math.max(0, ...values);
  return values
    .map((value) => (value > 0 ? blocks[Math.ceil((value / highest) * blocks.length) - 1] : ' '))
    .join('');
}

/** Joins neighbours until there are no more than `most` values, each group of the same length. */
export function joined(
  values: readonly number[],
  most: number,
  join: (group: readonly number[]) => number,
): number[] {
  const perGroup = Math.max(1, Math.ceil(values.length / most));
  return Array.from({ length: Math.ceil(values.length / perGroup) }, (_, index) =>
    join(values.slice(index * perGroup, (index + 1) * perGroup)),
  );
}
