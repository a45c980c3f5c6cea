import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { openQueue } from '../../config/index.js';
import { createQueue, type Queue } from '../../src/index.js';
import { checkLedger, type LedgerRules } from '../conformance/index.js';
import { Chaos } from './chaos.js';
import { coverageOf } from './coverage.js';
import { Crew, deathByJob, listen } from './crew.js';
import { deathsOf } from './deaths.js';
import { digGraves } from './graves.js';
import type { Options } from './options.js';
import { Producers } from './producers.js';
import { type Profile, profileFor } from './profile.js';
import { bareQueue, lineQueue, Project, queues } from './project.js';
import { nowMs, Record } from './record.js';
import { idleCost, remainsOf } from './remains.js';
import type { Outcome } from './report.js';
import { scheduleFor } from './schedule.js';
import { type Store, startStore } from './store.js';
import { drain, watch } from './watch.js';

/** A run was told to end before it had a verdict. */
export class Interrupted extends Error {
  /** @param folder where the ledgers are. */
  constructor(folder: string) {
    super(`stopped before a verdict; ledgers: ${folder}`);
  }
}

/**
 * One run: jobs are pushed and worked while things are broken, then the rest is worked off, and all of it judged.
 *
 * @param signal ends the run, with all that it has started.
 * @throws Interrupted where the signal aborted, once all of that has ended.
 */
export async function torture(options: Options, signal: AbortSignal): Promise<Outcome> {
  const profile = profileFor(options);
  const project = new Project();
  const record = new Record(project.path('ledger/chaos.ndjson'));
  const store = await startStore(options, project.folder);
  const graves = options.failed === 'elsewhere' ? digGraves(project.folder) : undefined;
  project.configure(options, profile, store.reach, graves?.url);
  const queue = store.driver
    ? createQueue({
        connections: { default: store.driver, ...(graves && { graves: graves.driver }) },
        default: 'default',
        ...(graves && { failed: { connection: 'graves' } }),
      })
    : await openQueue({ cwd: project.folder, env: {} });
  const crew = new Crew(project, record, profile);
  const producers = new Producers(project);
  const chaos = new Chaos({ project, crew, store, graves, record, leaseMs: profile.leaseMs, signal });
  const run: Run = { options, profile, project, record, store, queue, crew, producers, chaos, signal };
  try {
    return await Promise.race([breakAndJudge(run), untilAborted(signal, project.folder)]);
  } finally {
    producers.kill();
    await crew.kill();
    await chaos.end();
    await queue.close();
    graves?.stop();
    await store.stop();
    record.close();
  }
}

/** Never resolves. */
async function untilAborted(signal: AbortSignal, folder: string): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw new Interrupted(folder);
}

/** What there is in a run. */
interface Run {
  readonly options: Options;
  readonly profile: Profile;
  readonly project: Project;
  readonly record: Record;
  readonly store: Store;
  readonly queue: Queue;
  readonly crew: Crew;
  readonly producers: Producers;
  readonly chaos: Chaos;
  readonly signal: AbortSignal;
}

async function breakAndJudge(run: Run): Promise<Outcome> {
  const { options, profile, project, record, store, queue, crew, producers, chaos } = run;
  const looking = new AbortController();
  const { signal } = run;
  try {
    await workQuietly(profile, queue, crew, producers);
    signal.throwIfAborted();
    const watching = watch(run, AbortSignal.any([signal, looking.signal]));
    startCrew(crew, profile);
    await crew.untilWorking();
    const producing = producers.push(profile, options.seconds);
    await chaos.run(scheduleFor(profile, options.seconds * 1000, options.seed));
    await producing;
    signal.throwIfAborted();
    await workOff(run);
    signal.throwIfAborted();
    looking.abort();
    await watching;
  } finally {
    looking.abort();
  }
  const idle = (await idleCost(store, crew, profile)) ?? {};
  await crew.end();
  await complain(project, record);
  for (const death of deathsOf(project.events(), project.gone())) record.add(deathByJob, death);
  const events = project.events();
  const remains = { ...(await remainsOf(queue, store, events, project.folder)), idle };
  writeFileSync(project.path('remains.json'), JSON.stringify(remains));
  const verdicts = checkLedger(events, remains, rulesOf(profile));
  return {
    title: titleOf(options),
    verdicts,
    floors: coverageOf(events, verdicts, options),
    done: record.counts,
    folder: project.folder,
    remove: () => project.remove(),
  };
}

function startCrew(crew: Crew, profile: Profile): void {
  const { workers, bare, listeners, concurrency, restartlessMs } = profile;
  const work = ['queue:work', '--json', `--queue=${queues.join(',')}`, `--concurrency=${concurrency}`];
  crew.keepJumping(...work);
  for (let one = 1; one < workers; one++) crew.keep(...work);
  const alone = ['queue:work', '--json', `--queue=${bareQueue}`, '--workers=0', '--concurrency=2'];
  for (let one = 0; one < bare; one++) crew.keep(...alone);
  if (restartlessMs > 0) crew.keepSafe(...alone);
  for (let one = 0; one < listeners; one++) crew.keep(listen, '--json', '--queue=default');
}

/** The rest of the jobs, which do no harm any more, by those who take many at a time. */
async function workOff({ options, profile, project, record, queue, crew }: Run): Promise<void> {
  const isMutant = options.mutant !== undefined; // there are few jobs then, and harm is what is wanted of them
  if (!isMutant) project.calm();
  const fromMs = nowMs();
  const resting = crew.rest(listen);
  await drain(queue, 2 * profile.leaseMs + (isMutant ? 4000 : 30_000));
  record.fault('term', `SIGTERM of ${listen}`, resting, fromMs);
  crew.resume();
  await crew.untilWorking();
}

function titleOf({ driver, seconds, seed, failed, mutant }: Options): string {
  const more = [mutant && ` with ${mutant}`, failed === 'elsewhere' && ', failed jobs elsewhere'];
  return `${driver}${more.filter(Boolean).join('')}, ${seconds} s, --seed ${seed}`;
}

/** Before anything is broken: jobs of one producer in a line, and one worker with one slot. It works on after that. */
async function workQuietly(profile: Profile, queue: Queue, crew: Crew, producers: Producers): Promise<void> {
  await producers.pushInLine(profile);
  crew.keep('queue:work', '--json', `--queue=${lineQueue}`, '--concurrency=1');
  await drain(queue, 60_000);
}

/** What no process should ever say on its standard error. */
const complaints =
  /unhandled|uncaughtexception|MaxListeners|DeprecationWarning|TypeError|ReferenceError|RangeError/i;

async function complain(project: Project, record: Record): Promise<void> {
  for (const name of readdirSync(project.path('output'))) {
    const lines = readFileSync(project.path(`output/${name}`), 'utf8').split('\n');
    for (const text of lines.filter((line) => complaints.test(line))) {
      record.write({ ev: 'complaint', t: nowMs(), text: `${name}: ${text.slice(0, 300)}` });
    }
  }
}

function rulesOf(profile: Profile): LedgerRules {
  const { leaseMs, tries, pollMs, commandTimeoutMs, workers, concurrency } = profile;
  return {
    leaseMs,
    tries,
    pollMs,
    pushAgainMs: commandTimeoutMs,
    slackMs: 3000,
    slots: workers * concurrency,
    priorities: queues,
    inOrder: [lineQueue],
    exits: {
      none: [],
      term: [0],
      restart: [0],
      kill: ['SIGKILL', 0],
      'store away': [69],
      // Node ends by a signal until the command listens to it; and one whose first process is killed says that it failed.
      'none before it worked': [1],
      'term before it worked': [0, 'SIGTERM'],
      'restart before it worked': [0, 1],
      'kill before it worked': ['SIGKILL', 0, 1],
    },
  };
}
