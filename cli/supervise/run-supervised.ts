import { Args } from '../args.js';
import { runWorker } from '../commands/work.js';
import { endWith, processIo } from '../process-io.js';
import { reporting } from '../reporting.js';
import { Orders } from './orders.js';

/**
 * Runs a worker process. Its supervisor has read the command line and sends what it says, so that what reads it need
 * not be loaded here.
 */
export async function runSupervised(): Promise<never> {
  const orders = new Orders();
  const begin = await orders.begun;
  const args = new Args(begin.values);
  const json = args.isOn('json');
  const io = processIo(json);
  return endWith(await reporting(io, json, () => runWorker(args, io, { orders, begin })));
}
