/**
 * How large each half of the young generation of a worker process may grow, in MiB. Node's 16 costs a process that
 * makes much and keeps little, as a worker does, 20 MB of memory and wins it no time.
 */
const mostMiB = 4;

/**
 * What a worker process is started with beside the options of this one: nothing where whoever started this one has
 * said how large the young generation shall be.
 */
export function youngGeneration(
  execArgv: readonly string[],
  { NODE_OPTIONS = '' }: { readonly NODE_OPTIONS?: string },
): string[] {
  const isSaid = [...execArgv, NODE_OPTIONS].some((text) => /semi[-_]space/.test(text));
  return isSaid ? [] : [`--max-semi-space-size=${mostMiB}`];
}
