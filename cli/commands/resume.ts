import type { Command } from '../command.js';
import { changePauses } from './pause.js';

/** `queue:resume`: the end of a `queue:pause`. */
export const command: Command = {
  flags: {},
  positionals: { queue: 'Queues to resume; the pause of the whole connection where none is named' },
  examples: [
    ['drover queue:resume mail', 'Workers take jobs of this queue again'],
    ['drover queue:resume', 'Lifts the pause of the connection; queues paused by name stay so'],
  ],
  notes: 'It prints what is paused still: a queue may be paused by its name and with its connection.',
  run: (args, io) => changePauses(args, io, (queue, name) => queue.resume(name)),
};
