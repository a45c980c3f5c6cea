import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { openQueue } from '../../config/index.js';
import { createQueue, type Queue } from '../../src/index.js';
import { checkLedger, type LedgerRules } from '../conformance/index.js';
import { Chaos } from './chaos.js';
import { coverageOf } from './coverage.js';
import { Crew, deathByJob } from './crew.js';
import { deathsOf } from './deaths.js';
import { digGraves } from './graves.js';
import type { Options } from './options.js';
import { type Profile, profileFor } from './profile.js';
import { bareQueue, lineQueue, Project, queues } from './project.js';
import { nowMs, Record } from './record.js';
import { idleCost, remainsOf } from './remains.js';
import type { Outcome } from './report.js';
import { scheduleFor } from './schedule.js';
import { startStore } from './store.js';
import { drain, watch } from './watch.js';

/** One run: jobs are pushed and worked while things are broken, then the rest is worked off, and all of it judged. */
export async function torture(options: Options): Promise<Outcome> {
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
  const looking = new AbortController();
  try {
    await workQuietly(project, profile, queue, crew);
    const watching = watch(queue, crew, record, looking.signal);
    const work = [
      'queue:work',
      '--json',
      `--queue=${queues.join(',')}`,
      `--concurrency=${profile.concurrency}`,
    ];
    crew.keepJumping(...work);
    for (let one = 1; one < profile.workers; one++) crew.keep(...work);
    for (let one = 0; one < profile.bare; one++) {
      crew.keep('queue:work', '--json', `--queue=${bareQueue}`, '--workers=0', '--concurrency=2');
    }
    for (let one = 0; one < profile.listeners; one++) crew.keep('queue:listen', '--json', '--queue=default');
    await crew.untilWorking();
    const plan = scheduleFor(profile, options.seconds * 1000, options.seed);
    const producing = produce(project, profile, options.seconds);
    await new Chaos({ project, crew, store, graves, record }).run(plan);
    await producing;
    await drain(queue, 2 * profile.leaseMs + (options.mutant === undefined ? 30_000 : 4000));
    looking.abort();
    await watching;
    const idle = (await idleCost(store, crew, profile)) ?? {};
    await crew.end();
    await complain(project, record);
    for (const death of deathsOf(project.events(), project.gone())) record.add(deathByJob, death);
    const events = project.events();
    const remains = { ...(await remainsOf(queue, store, events, project.folder)), idle };
    writeFileSync(project.path('remains.json'), JSON.stringify(remains));
    const verdicts = checkLedger(events, remains, rulesOf(profile));
    const floors = coverageOf(events, verdicts, options, profile.leaseMs);
    const title = titleOf(options);
    return {
      title,
      verdicts,
      floors,
      done: record.counts,
      folder: project.folder,
      remove: () => project.remove(),
    };
  } finally {
    looking.abort();
    crew.kill();
    await queue.close();
    graves?.stop();
    await store.stop();
    record.close();
  }
}

function titleOf({ driver, seconds, seed, failed, mutant }: Options): string {
  const more = [mutant && ` with ${mutant}`, failed === 'elsewhere' && ', failed jobs elsewhere'];
  return `${driver}${more.filter(Boolean).join('')}, ${seconds} s, --seed ${seed}`;
}

/** Before anything is broken: jobs of one producer in a line, and one worker with one slot. It works on after that. */
async function workQuietly(project: Project, profile: Profile, queue: Queue, crew: Crew): Promise<void> {
  const rate = 2000; // as fast as answers come
  await producer(project, 'line', rate, profile.quiet / rate, [lineQueue]);
  crew.keep('queue:work', '--json', `--queue=${lineQueue}`, '--concurrency=1');
  await drain(queue, 60_000);
}

async function produce(project: Project, profile: Profile, seconds: number): Promise<void> {
  const all = Array.from({ length: profile.producers }, (_, index) =>
    producer(project, `p${index}`, profile.rate, seconds, queues),
  );
  const others = [
    producer(project, 'inline', 5, seconds, [lineQueue]),
    producer(project, 'bare', profile.bareRate, seconds, [bareQueue]),
  ];
  await Promise.all([...all, ...others]);
}

/** Runs a script that pushes by the public API, in a process of its own. */
async function producer(
  project: Project,
  name: string,
  rate: number,
  seconds: number,
  to: readonly string[],
): Promise<void> {
  const errors = openSync(project.path(`output/producer-${name}.err`), 'a');
  const words = ['producer.mjs', name, String(rate), String(seconds), ...to];
  const child = spawn(process.execPath, words, { cwd: project.folder, stdio: ['ignore', 'ignore', errors] });
  const [code] = await once(child, 'exit');
  if (code !== 0) writeSync(errors, `\nunhandled: the producer ended with ${code}\n`);
  closeSync(errors);
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
  const { leaseMs, tries, pollMs, workers, concurrency } = profile;
  return {
    leaseMs,
    tries,
    pollMs,
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
