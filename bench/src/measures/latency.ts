import { type Findings, inCrew, type Setting, startPatienceMs, startWorkers } from './setting.js';

/** Measures the time from just before a push to its handler, in an idle worker of concurrency 1. */
export async function latency({ entry, server, sizes: { paced, limitMs } }: Setting): Promise<Findings> {
  const place = await server.emptyPlace();
  const task = { contender: entry.name, place };
  return inCrew(entry, undefined, async (crew) => {
    const [worker] = await startWorkers(crew, 1, { ...task, role: 'work', jobs: paced + 1, concurrency: 1 });
    const pusher = crew.start({ ...task, role: 'pace', jobs: paced });
    const bothRun = () => pusher.last('ready') !== undefined && worker?.last('tally') !== undefined;
    if (!(await crew.until(bothRun, startPatienceMs))) throw new Error('the first job was not handled');
    pusher.begin();
    await crew.until(() => (worker?.last('tally')?.handled ?? 0) > paced, paced * 20 + limitMs);
    const [, ...took] = worker?.last('tally')?.latenciesUs ?? [];
    took.sort((a, b) => a - b);
    const quantile = (part: number) => (took[Math.ceil(took.length * part) - 1] ?? 0) / 1000;
    return {
      figures: {
        'latency: push to handler, p50, ms': quantile(0.5),
        'latency: push to handler, p95, ms': quantile(0.95),
        'latency: push to handler, p99, ms': quantile(0.99),
      },
    };
  });
}
