import { type Evidence, readEvidence, readJournalParts } from './board.js';
import { type Journal, readJournal } from './journal.js';

/** What the board of a dead process tells. */
export interface Remains {
  readonly evidence: Evidence | undefined;
  readonly journal: Journal;
}

/** Reads the board of a process that is gone. */
export function readRemains(board: number): Remains {
  return { evidence: readEvidence(board), journal: readJournal(readJournalParts(board)) };
}
