import { isQueueError } from '../../src/index.js';
import { addressIn, type NodeAddress } from './slots.js';

/** What to do about an error of one node of a Cluster. Nothing was carried out but where it says so. */
export type Reaction =
  /** The slot has another master by now. */
  | { readonly kind: 'moved'; readonly to: NodeAddress }
  /** The slot is on its way to that node, and a key that is not here may be there. */
  | { readonly kind: 'ask'; readonly to: NodeAddress }
  /** The slot is on its way with its keys in two places, or has no master for now. */
  | { readonly kind: 'wait' }
  /** The node is away, and another may have taken its place. */
  | { readonly kind: 'away' }
  /** The same, but the command may have been carried out. */
  | { readonly kind: 'lost' }
  /** It has nothing to do with the Cluster. */
  | { readonly kind: 'fail' };

/**
 * Reads the error of a session.
 *
 * @param asked the node that the error is from.
 */
export function reactionTo(error: unknown, asked: NodeAddress): Reaction {
  if (!isQueueError(error)) return { kind: 'fail' };
  const said = error.cause instanceof Error ? error.cause.message : '';
  const [, word, address = ''] = /^(MOVED|ASK) \d+ (\S+)/.exec(said) ?? [];
  if (word === 'MOVED') return { kind: 'moved', to: addressIn(address, asked) };
  if (word === 'ASK') return { kind: 'ask', to: addressIn(address, asked) };
  if (/^(?:TRYAGAIN|CLUSTERDOWN)\b/.test(said)) return { kind: 'wait' };
  if (error.code !== 'E_STORE_UNAVAILABLE' || !error.transient) return { kind: 'fail' };
  return { kind: error.ambiguous ? 'lost' : 'away' };
}
