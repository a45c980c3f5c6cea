import type { Finding } from './finding.js';
import type { Pauses } from './pauses.js';
import type { QueueConfig } from './queue-config.js';
import { waitAtMost } from './within.js';

/** As long as a worker that starts waits for an answer. */
const answerMs = 1000;

/** What operators have paused on a connection; nothing where nothing is. Pure. */
export function pauseFindings(connection: string, { allSinceMs, queues }: Pauses): Finding[] {
  const about = { check: 'paused', status: 'warning' } as const;
  const all =
    allSinceMs === null
      ? []
      : [
          {
            ...about,
            message: `all queues of the connection are paused since ${timeText(allSinceMs)}`,
            fix: `When its jobs may run again: drover queue:resume --connection ${connection}`,
          },
        ];
  const named = queues.map(({ queue, sinceMs }) => ({
    ...about,
    message: `queue ${queue} is paused since ${timeText(sinceMs)}`,
    fix: `When its jobs may run again: drover queue:resume ${queue} --connection ${connection}`,
  }));
  return [...all, ...named];
}

/** What came of asking whether the application is in maintenance. */
export interface AskedMaintenance {
  /** True where workers take no jobs for it. */
  readonly isOn: boolean;
  /** None where workers go on and the question was answered. */
  readonly findings: readonly Finding[];
}

/** Asks the application, from here, whether it is in maintenance, unless workers ignore that. */
export async function askMaintenance({ maintenance, worker }: QueueConfig): Promise<AskedMaintenance> {
  if (maintenance === undefined || worker?.force) return { isOn: false, findings: [] };
  let answer: boolean | undefined;
  const asked = (async () => {
    answer = (await maintenance()) === true;
  })();
  try {
    await waitAtMost(asked, answerMs);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return unanswered(`\`maintenance\` of the config threw: ${why}`);
  }
  if (answer === undefined) {
    asked.catch(() => undefined); // what comes now comes too late
    return unanswered(`\`maintenance\` of the config gave no answer within ${answerMs} ms`);
  }
  return { isOn: answer, findings: answer ? [inMaintenance] : [] };
}

const inMaintenance: Finding = {
  check: 'maintenance',
  status: 'warning',
  message: 'the application says that it is in maintenance: workers take no jobs',
  fix: 'End the maintenance of the application, or start workers with --force.',
};

/** Workers go by the last answer then, which is not known here. */
function unanswered(message: string): AskedMaintenance {
  const fix = 'Mend it: workers go by the last answer that they had, at first by no.';
  return { isOn: false, findings: [{ check: 'maintenance', status: 'warning', message, fix }] };
}

/** Without milliseconds, which nobody pauses by. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
