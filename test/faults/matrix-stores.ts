import { startMariadb } from '../support/mariadb-server.js';
import { startPostgres } from '../support/postgres-server.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import type { DatabaseServer } from '../support/server-process.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { inTier } from '../support/tier.js';
import type { ProjectStore } from './supervisor-project.js';

/** The stores that a fault of the table in docs/reliability.md is tried on. */
export type MatrixStore = 'SQLite' | 'Redis' | 'MariaDB' | 'PostgreSQL';

/** Those that have a server. */
export const servers = ['Redis', 'MariaDB', 'PostgreSQL'] as const satisfies readonly MatrixStore[];

/** A server that one test kills. */
export interface KilledServer {
  readonly store: ProjectStore;
  crash(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** What the tests of a file have their projects' jobs in. */
export class MatrixStores {
  readonly #sandboxes = { MariaDB: new ServerSandbox('mariadb'), PostgreSQL: new ServerSandbox('postgres') };
  #redis: RedisServer | undefined;
  #places = 0;

  async start(): Promise<void> {
    this.#redis = await startRedis('--databases', '100');
    for (const store of inTier([], ['MariaDB', 'PostgreSQL'] as const)) await this.#sandboxes[store].make();
  }

  async stop(): Promise<void> {
    await this.#redis?.stop();
    for (const store of inTier([], ['MariaDB', 'PostgreSQL'] as const)) await this.#sandboxes[store].clean();
  }

  /** A place that no other test has; undefined is a file of the project. */
  place(store: MatrixStore): ProjectStore | undefined {
    if (store === 'SQLite') return undefined;
    this.#places += 1;
    if (store === 'Redis') return { url: `redis://127.0.0.1:${this.#redis?.port}/${this.#places}` };
    return { url: this.#sandboxes[store].url, prefix: `p${this.#places}_` };
  }
}

/** A server of its own, that keeps what it has accepted. */
export async function startKilled(store: (typeof servers)[number]): Promise<KilledServer> {
  if (store === 'Redis') {
    const server = await startRedis('--appendonly', 'yes');
    return {
      store: { url: server.url },
      crash: () => server.crash(),
      restart: () => server.restart(),
      stop: () => server.stop(),
    };
  }
  const [kind, start] =
    store === 'MariaDB' ? (['mariadb', startMariadb] as const) : (['postgres', startPostgres] as const);
  const server: DatabaseServer = await start({ isDurable: true });
  const { url } = await new ServerSandbox(kind, server.url).make();
  return {
    store: { url },
    crash: () => server.kill(),
    restart: () => server.start(),
    stop: () => server.stop(),
  };
}
