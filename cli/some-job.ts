import { usage } from './args.js';
import type { Context } from './context.js';

/**
 * Refuses to work without a single job: such a worker would take what is in the queue and spend its tries,
 * where most likely the working directory or a glob is wrong.
 *
 * @throws QueueError `E_USAGE` naming the globs and the folder that they start from.
 */
export function assertSomeJob({ queue, config, directory, file }: Context): void {
  if (queue.jobNames.length > 0) return;
  const listed: readonly unknown[] = typeof config.jobs === 'string' ? [config.jobs] : toList(config.jobs);
  const globs = listed.filter((job) => typeof job === 'string');
  const from = file === null ? 'the built-in config' : file;
  if (config.consumers !== undefined && globs.length === 0) {
    const folders = [config.consumers].flat().join(', ');
    throw usage(
      `no consumers were found in ${folders} of ${directory}`,
      'Write one: drover make:consumer my-mail.',
    );
  }
  if (globs.length === 0)
    throw usage(`there is nothing to run: ${from} has no \`jobs\``, 'Name the job files there.');
  throw usage(
    `no job files were found for ${globs.join(', ')} in ${directory}`,
    file === null
      ? "Start it in the project's folder, name its config with --config, or run drover init."
      : `Check \`jobs\` of ${file}, and that the job files are there.`,
  );
}

function toList(jobs: unknown): readonly unknown[] {
  return Array.isArray(jobs) ? jobs : [];
}
