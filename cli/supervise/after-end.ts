import { exitCodes } from '../exit-codes.js';

/** What a supervisor does when one of its worker processes has ended. */
export type AfterEnd =
  /** Start another in its place. */
  | { readonly action: 'replace' }
  /** Let the others end too, and exit. */
  | { readonly action: 'end'; readonly code: number }
  /** The others may go on; when the last has ended, exit. */
  | { readonly action: 'go-on' };

/** What is known of the end. */
export interface Ended {
  /** Why it stopped; undefined where it died. */
  readonly reason: string | undefined;
  readonly code: number | null;
  /** Whether it came to work; else its config or its job files are no good, or its store. */
  readonly worked: boolean;
}

/** What a supervisor is at. */
export interface SupervisorState {
  readonly workers: number;
  /** Whether it runs a group of the config: none of its limits ends the command. */
  readonly isGroup: boolean;
  readonly stopping: boolean;
  /** Whether any of its processes has worked so far. */
  readonly everWorked: boolean;
}

/**
 * Decides. Pure.
 *
 * A limit (`memory`, `max-jobs`, `max-time`) is that of each process: with several of them, or in a group, one that is
 * at its limit is replaced; a single one ends the command. What died, or cannot take jobs any longer, is replaced.
 */
export function afterEnd(ended: Ended, state: SupervisorState): AfterEnd {
  const { workers, isGroup, stopping, everWorked } = state;
  const { reason } = ended;
  if (stopping) return { action: 'go-on' };
  if (!ended.worked && !everWorked) return { action: 'end', code: ended.code ?? exitCodes.error };
  if (reason === 'restart') return { action: 'end', code: exitCodes.done };
  if (reason === 'empty' || reason === 'once') return { action: 'go-on' };
  if (reason === 'outage') return { action: 'end', code: exitCodes.store };
  if (reason === 'error' && ended.worked) return { action: 'end', code: ended.code ?? exitCodes.error };
  const isLimit = reason === 'memory' || reason === 'max-jobs' || reason === 'max-time';
  if (isLimit && workers === 1 && !isGroup) return { action: 'end', code: ended.code ?? exitCodes.done };
  return { action: 'replace' };
}
