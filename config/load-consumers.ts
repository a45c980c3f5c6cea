import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type JobDefinition, QueueError } from '../src/index.js';
import { type FoundConsumer, isConsumerClass, readConsumer } from './consumer.js';
import { consumerJob } from './consumer-job.js';
import type { Exports } from './import-file.js';
import { isHelperModule } from './job-exports.js';
import { readJobFiles } from './load-jobs.js';

/** The consumers of a project. */
export interface Consumers {
  readonly jobs: readonly JobDefinition[];
  /** The queues of each connection, in the order of the files. */
  readonly queues: ReadonlyMap<string, readonly string[]>;
}

/**
 * Imports the files of directories, with those below them, and makes jobs of the consumers that they export. Files are
 * taken in the order of their paths.
 *
 * @param directories relative to `root`.
 * @param connection that of consumers which name none.
 * @throws QueueError `E_JOB_FILE` naming every file that could not be used, or a directory that is not there;
 * `E_JOB_DUPLICATE` for a queue with two consumers; `E_CONNECTION_UNKNOWN`.
 */
export async function loadConsumers(
  directories: string | readonly string[],
  root: string,
  connection: { readonly default: string; readonly names: readonly string[] },
): Promise<Consumers> {
  const folders = typeof directories === 'string' ? [directories] : directories;
  for (const folder of folders) await assertFolder(folder, root);
  const byQueue = new Map<string, Map<string, FoundConsumer>>();
  const queues = new Map<string, string[]>();
  const origins = new Map<FoundConsumer, string>();
  const globs = folders.map((folder) => `${folder.replace(/\/+$/, '')}/**/*.{ts,mts,cts,js,mjs,cjs}`);
  await readJobFiles(globs, root, (exports, { label }) => {
    for (const found of consumersOf(exports)) {
      const { queue, connection: named = connection.default } = found;
      assertConnection(named, queue, connection.names);
      const lane = byQueue.get(queue) ?? new Map<string, FoundConsumer>();
      const other = lane.get(named);
      if (other) throw duplicate(queue, origins.get(other) ?? '', label);
      byQueue.set(queue, lane.set(named, found));
      origins.set(found, label);
      queues.set(named, [...(queues.get(named) ?? []), queue]);
    }
  });
  return { jobs: [...byQueue].map(([queue, found]) => consumerJob(queue, found)), queues };
}

function consumersOf(exports: Exports): FoundConsumer[] {
  const classes = new Set(Object.values(exports).filter(isConsumerClass));
  if (classes.size === 0 && !isHelperModule(exports)) {
    throw new QueueError('E_JOB_FILE', 'its default export is no consumer', {
      fix: "Export a class with queue = 'send-mail' and a method consume(data).",
    });
  }
  return [...classes].map(readConsumer);
}

async function assertFolder(folder: string, root: string): Promise<void> {
  const found = await stat(resolve(root, folder)).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new QueueError('E_JOB_FILE', `consumers: there is no folder ${folder} in ${root}`, {
    fix: 'Make it with drover make:consumer, or name another in `consumers` of the config.',
  });
}

function assertConnection(name: string, queue: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  throw new QueueError(
    'E_CONNECTION_UNKNOWN',
    `the consumer of ${queue} names a connection ${name}, which there is not`,
    {
      fix: `The config has ${names.join(', ')}.`,
    },
  );
}

function duplicate(queue: string, one: string, two: string): QueueError {
  return new QueueError('E_JOB_DUPLICATE', `queue ${queue} has two consumers: ${one} and ${two}`, {
    fix: 'Give one of them another queue or another connection.',
  });
}
