import { endWith, processIo } from './process-io.js';
import { reporting } from './reporting.js';
import type { StartedProcess } from './supervise/start-process.js';
import { supervise } from './supervise/supervise.js';
import type { PlainWork } from './supervise/words.js';
import { WorkerProcess } from './supervise/worker-process.js';

/** Runs a supervisor. @param started its first process, which gets ready beside it, where one could be started. */
export async function runSupervisor(
  words: readonly string[],
  { values, workers }: PlainWork,
  started: StartedProcess | undefined,
): Promise<never> {
  const json = values.json === true;
  const io = processIo(json);
  const run = async () => {
    const first = started ? new WorkerProcess(started) : WorkerProcess.start(words);
    first.begin({ values, left: [], suspects: [], settleOnly: false });
    return supervise({ words, values, workers, first }, io);
  };
  return endWith(await reporting(io, json, run));
}
