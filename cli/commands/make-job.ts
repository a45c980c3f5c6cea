import { generateJob } from '../../config/index.js';
import type { Command } from '../command.js';
import { make, makeFlags } from '../make.js';

/** `make:job`: the file of a new job, in the folder of `jobs`. */
export const command: Command = {
  flags: makeFlags,
  positionals: {
    name: 'The name of the job and of its file; with folders before it, mail/send, the job is mail.send',
  },
  examples: [['drover make:job send-mail', 'Writes jobs/send-mail.ts']],
  run: (args, io) =>
    make(args, io, generateJob, ({ name }) => [
      `npx drover queue:push ${name} --data '{"id":1}'`,
      'npx drover queue:work --stop-when-empty',
    ]),
};
