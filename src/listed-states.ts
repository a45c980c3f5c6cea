/** The states that a list can be of. */
export const listedStates = ['running', 'reserved', 'ready', 'delayed', 'done', 'failed', 'all'] as const;
