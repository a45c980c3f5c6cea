import type { PlainWork } from './words.js';
import { WorkerProcess } from './worker-process.js';

/** Runs a supervisor. Its first process is started before all else is loaded: both get ready side by side. */
export async function runSupervisor(
  words: readonly string[],
  { values, workers }: PlainWork,
): Promise<never> {
  const first = new WorkerProcess(words);
  first.begin({ values, left: [], suspects: [], settleOnly: false });
  const [{ endWith, processIo }, { reporting }, { supervise }] = await Promise.all([
    import('../process-io.js'),
    import('../reporting.js'),
    import('./supervise.js'),
  ]);
  const json = values.json === true;
  const io = processIo(json);
  return endWith(await reporting(io, json, () => supervise({ words, values, workers, first }, io)));
}
