import type { TestProject } from 'vitest/node';
import { installServers } from './install-servers.js';
import { startMariadb } from './mariadb-server.js';
import { startPostgres } from './postgres-server.js';

declare module 'vitest' {
  /** What test files get with `inject`. */
  export interface ProvidedContext {
    /** URLs of the servers that all test files share, without a database. */
    mariadbUrl: string;
    postgresUrl: string;
    /** Where these servers write what goes wrong. */
    mariadbLog: string;
    postgresLog: string;
  }
}

/**
 * Before all tests: one MariaDB and one PostgreSQL for all of them. Answers what to do after the last.
 *
 * With DROVER_TEST_SERVERS=none there are none: for runs that are about the runner.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  if (process.env.DROVER_TEST_SERVERS === 'none') return async () => {};
  installServers();
  const [mariadb, postgres] = await Promise.all([startMariadb(), startPostgres()]);
  project.provide('mariadbUrl', mariadb.url);
  project.provide('postgresUrl', postgres.url);
  project.provide('mariadbLog', mariadb.log);
  project.provide('postgresLog', postgres.log);
  return async () => {
    await Promise.all([mariadb.stop(), postgres.stop()]);
  };
}
