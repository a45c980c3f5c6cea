import { QueueError } from '../../src/index.js';

/** The error of a verb after `close`. */
export function closed(place: string): QueueError {
  return new QueueError('E_QUEUE_CLOSED', `the connection to ${place} is closed`);
}

/** The error of a server that is not there. @param ambiguous true where the command may have been carried out. */
export function unavailable(
  what: string,
  fix = 'Check that Redis runs there and can be reached.',
  ambiguous = false,
): QueueError {
  return new QueueError('E_STORE_UNAVAILABLE', what, { fix, transient: true, ambiguous });
}
