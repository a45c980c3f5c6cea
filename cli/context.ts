import { checkConfig, loadConfig } from '../config/load-config.js';
import { openChecked } from '../config/open-queue.js';
import { assertStoreThere } from '../config/store-there.js';
import { configOfGroup } from '../config/worker-groups.js';
import { type Logger, type Queue, type QueueConfig, waitAtMost } from '../src/index.js';
import type { Args } from './args.js';
import type { Io } from './io.js';
import { createLogger } from './logger.js';

/** The queue that a command works on. */
export interface Context {
  readonly queue: Queue;
  readonly config: QueueConfig;
  /** The absolute path of the config file, or null where there is none. */
  readonly file: string | null;
  /** The project's folder: what the globs of job files start from. */
  readonly directory: string;
  readonly logger: Logger;
}

/** How long closing may take: a store that is away must not keep a command from ending. */
const closeMs = 5000;

/**
 * Opens the config that the flags name, on the connection that they name, calls `use` with it, and closes it.
 *
 * @param options.jobs whether job files are loaded: only where jobs are run or looked up by name.
 * @param options.startsStore whether the command may be the first that uses a store, as whoever pushes is: for those that
 * look or control, a store that is not there is a wrong folder.
 * @param options.group whose connection and settings go before those that hold for all workers.
 */
export async function withContext<T>(
  args: Args,
  io: Io,
  options: {
    readonly jobs: boolean;
    readonly startsStore?: boolean;
    readonly group?: string | undefined;
  },
  use: (context: Context) => Promise<T>,
): Promise<T> {
  const { jobs, startsStore = false, group } = options;
  const connection = args.text('connection');
  const loaded = await loadConfig({ file: args.text('config'), cwd: io.cwd, env: io.env, connection });
  if (!startsStore) await assertStoreThere(loaded, io.env, args.words('connections'));
  const { directory } = loaded;
  const config = group === undefined ? loaded.config : groupConfig(loaded.config, group, io);
  const logger = config.logger ?? createLogger(io, args.isOn('json'), { group, quiet: args.isOn('quiet') });
  const queue = await openChecked(config, directory, { logger, jobs });
  try {
    return await use({ queue, config, directory, file: loaded.file, logger });
  } finally {
    await closeInTime(queue, logger);
  }
}

/** Checked anew: what a group says may not go with what holds for all. */
function groupConfig(all: QueueConfig, group: string, { env }: Io): QueueConfig {
  const config = configOfGroup(all, group);
  return checkConfig(config, { connection: config.default, env });
}

async function closeInTime(queue: Queue, logger: Logger): Promise<void> {
  try {
    await waitAtMost(queue.close(), closeMs);
  } catch (error) {
    logger.warn({ err: error }, 'a connection could not be closed in order');
  }
}
