import { generateConsumer } from '../../config/index.js';
import { jobOfQueue } from '../../src/index.js';
import type { Command } from '../command.js';
import { make, makeFlags } from '../make.js';

/** `make:consumer`: the file of a new consumer, in the folder of `consumers`. */
export const command: Command = {
  flags: makeFlags,
  positionals: { name: 'The queue and the name of the file; folders may stand before it' },
  examples: [['drover make:consumer my-mail', 'Writes app/queue/redis/my-mail.ts']],
  run: (args, io) =>
    make(args, io, generateConsumer, ({ name }, isListed) => [
      ...(isListed ? [] : ["write consumers: './app/queue/redis' into the config"]),
      `npx drover queue:push ${jobOfQueue(name)} --queue ${name} --data '{"id":1}'`,
      'npx drover queue:work --stop-when-empty',
    ]),
};
