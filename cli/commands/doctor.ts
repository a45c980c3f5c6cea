import { type Finding, isQueueError } from '../../src/index.js';
import type { Args } from '../args.js';
import type { Command } from '../command.js';
import { type Context, withContext } from '../context.js';
import { type Diagnosis, diagnosisText, findingObject, summaryText } from '../diagnosis-view.js';
import { exitCodes } from '../exit-codes.js';
import type { Io } from '../io.js';
import { createOutput } from '../output.js';

/** `queue:doctor`: what is wrong, and what to change. */
export const command: Command = {
  flags: {
    queue: {
      kind: 'text',
      says: 'Queues that the workers serve, where they are given another --queue than the config says',
      without: "worker.queues of the config, then the connection's queue",
    },
    timeout: {
      kind: 'text',
      says: 'The --timeout that workers are given, where it is another than the config says',
      without: 'worker.timeout of the config, then 60s',
    },
  },
  positionals: { connections: 'Connections to check; the default one where none is named' },
  examples: [
    ['drover queue:doctor', 'Check the default connection'],
    ['drover queue:doctor database --json', 'One object for each check'],
  ],
  exits: [
    [exitCodes.done, 'all is well'],
    [exitCodes.error, 'warnings: somebody should have a look'],
    [exitCodes.usage, 'errors: jobs can be lost, run twice or not run at all; or bad usage or config'],
  ],
  notes: 'It changes nothing: no table is made and no job is touched.',
  run: async (args, io) => {
    const [queues, timeout] = [args.list('queue'), args.span('timeout')];
    const workers = { ...(queues && { queues }), ...(timeout !== undefined && { timeout }) };
    const look = async (context: Context, jobFiles: Finding): Promise<number> => {
      const diagnoses = await Promise.all(
        connectionsOf(args, context).map(async (connection): Promise<Diagnosis> => {
          const found = await context.queue.connection(connection).diagnose(workers);
          return { connection, findings: [jobFiles, ...found] };
        }),
      );
      return report(diagnoses, args, io);
    };
    return await withJobFiles(args, io, look);
  },
};

function connectionsOf(args: Args, { queue }: Context): readonly string[] {
  const named = args.words('connections');
  return named.length > 0 ? [...new Set(named)] : [queue.connectionName];
}

/** Job files that cannot be loaded are a finding: the rest is looked at without them. */
async function withJobFiles(
  args: Args,
  io: Io,
  look: (context: Context, jobFiles: Finding) => Promise<number>,
): Promise<number> {
  const check = 'job-files';
  try {
    return await withContext(args, io, { jobs: true }, (context) => look(context, jobsFinding(context)));
  } catch (error) {
    if (!isQueueError(error) || !isAboutJobs(error.code)) throw error;
    const { message } = error;
    const fix = error.fix ?? 'Mend the file.';
    const finding: Finding = { check, status: 'error', message: message.replaceAll(/\s*\n\s*/g, '; '), fix };
    return await withContext(args, io, { jobs: false }, (context) => look(context, finding));
  }
}

function isAboutJobs(code: string): boolean {
  return code === 'E_JOB_FILE' || code === 'E_JOB_DUPLICATE' || code === 'E_JOB_NAME';
}

function jobsFinding({ queue, directory }: Context): Finding {
  const check = 'job-files';
  const count = queue.jobNames.length;
  if (count > 0) return { check, status: 'ok', message: `${count} ${count === 1 ? 'job' : 'jobs'} defined` };
  const fix = 'Check `jobs` of the config, and the folder that its globs start from.';
  return { check, status: 'warning', message: `no job is defined under ${directory}`, fix };
}

function report(diagnoses: readonly Diagnosis[], args: Args, io: Io): number {
  const output = createOutput(io, args.isOn('json'));
  const all = diagnoses.flatMap(({ findings }) => findings);
  for (const diagnosis of diagnoses) {
    if (!output.json) output.line(`${diagnosisText(diagnosis, output.colors)}\n`);
    else for (const one of diagnosis.findings) output.object(findingObject(diagnosis.connection, one));
  }
  if (!output.json) output.line(summaryText(all));
  if (all.some(({ status }) => status === 'error')) return exitCodes.usage;
  return all.some(({ status }) => status === 'warning') ? exitCodes.error : exitCodes.done;
}
