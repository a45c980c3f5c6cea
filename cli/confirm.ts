import { type Args, usage } from './args.js';
import type { Io } from './io.js';

/**
 * Asks before something is removed for good.
 *
 * @throws QueueError `E_USAGE` where nobody is there to be asked, and `--force` does not answer.
 */
export async function confirmed(args: Args, io: Io, question: string): Promise<boolean> {
  if (args.isOn('force')) return true;
  if (!io.stdin.isTTY) {
    throw usage('this removes jobs for good, and there is no terminal to ask on', 'Add --force.');
  }
  const { createInterface } = await import('node:readline/promises');
  const prompt = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const answer = await prompt.question(`${question} [y/N] `);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}
