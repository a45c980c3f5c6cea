import createKnex, { type Knex } from 'knex';
import { type Contender, type Handle, importPeer, type JobData, type Place } from '../contender.js';

interface Dispatcher {
  in(delay: string): Dispatcher;
  run(): Promise<unknown>;
}

interface BoringModule {
  readonly QueueManager: { init(config: object): Promise<unknown>; destroy(): Promise<void> };
  readonly QueueSchemaService: new (
    knex: Knex,
  ) => { createJobsTable(): Promise<void>; createSchedulesTable(): Promise<void> };
  readonly Locator: { register(name: string, job: object): void };
  readonly Worker: new (config: object) => { start(queues: readonly string[]): Promise<void> };
  readonly Job: new () => { readonly payload: JobData };
}

/** The dispatching side of a job class, which TypeScript does not see in {@link BoringModule}. */
interface Dispatching {
  dispatch(data: JobData): Dispatcher;
  dispatchMany(list: readonly JobData[]): { run(): Promise<unknown> };
}

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error: console.error, child: () => silent };

/**
 * `@boringnode/queue`, which looks every 10 ms where there is nothing. Its own 2 s would measure that and nothing
 * else. It has delays for single jobs only.
 */
export async function open(place: Place): Promise<Contender> {
  const { QueueManager, Worker, Job, Locator } = await importPeer<BoringModule>('@boringnode/queue');
  let handle: Handle = () => {};
  class Bench extends Job {
    static options = { name: 'bench' };
    async execute(): Promise<void> {
      await handle(this.payload);
    }
  }
  Locator.register('bench', Bench);
  const config = (concurrency: number) => ({
    default: 'main',
    adapters,
    logger: silent,
    worker: { concurrency, idleDelay: '10ms', gracefulShutdown: false },
  });
  const adapters = { main: await adapterOf(place) };
  await QueueManager.init(config(1));
  const jobs = Bench as unknown as Dispatching;
  return {
    push: (data) => jobs.dispatch(data).run(),
    pushMany: (list, delayMs = 0) =>
      delayMs === 0
        ? jobs.dispatchMany(list).run()
        : Promise.all(list.map((data) => jobs.dispatch(data).in(`${delayMs}ms`).run())),
    work: (concurrency, handler) => {
      handle = handler;
      return new Worker(config(concurrency)).start(['default']);
    },
    close: () => QueueManager.destroy(),
  };
}

async function adapterOf(place: Place): Promise<unknown> {
  if (place.store === 'redis') {
    const { redis } = await importPeer<{ redis(options: object): unknown }>(
      '@boringnode/queue/drivers/redis_adapter',
    );
    return redis({ host: '127.0.0.1', port: place.port });
  }
  const { knex } = await importPeer<{ knex(knex: Knex): unknown }>('@boringnode/queue/drivers/knex_adapter');
  const connection = createKnex(knexConfigOf(place));
  if (place.store === 'sqlite') {
    await connection.raw('PRAGMA journal_mode = WAL');
    await connection.raw('PRAGMA synchronous = NORMAL');
  }
  await makeTables(connection);
  return knex(connection);
}

function knexConfigOf(place: Exclude<Place, { store: 'redis' }>): Knex.Config {
  if (place.store === 'sqlite') {
    return { client: 'better-sqlite3', connection: { filename: place.file }, useNullAsDefault: true };
  }
  return { client: place.store === 'mysql' ? 'mysql2' : 'pg', connection: place.url };
}

/** Its users make the tables in a migration of theirs. */
async function makeTables(connection: Knex): Promise<void> {
  if (await connection.schema.hasTable('queue_jobs')) return;
  const { QueueSchemaService } = await importPeer<BoringModule>('@boringnode/queue');
  const schema = new QueueSchemaService(connection);
  await schema.createJobsTable();
  await schema.createSchedulesTable();
}
