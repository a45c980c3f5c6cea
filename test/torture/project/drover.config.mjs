import { database } from 'drover/drivers/database';
import { redis } from 'drover/drivers/redis';
import { settings } from './ledger.mjs';
import { naive } from './naive/driver.mjs';

const { driver, reach, graves, leaseMs, timeoutMs, graceMs, pollMs, commandTimeoutMs, tries, mutant, file } =
  settings;
const commandTimeout = `${commandTimeoutMs}ms`;
const common = { lease: `${leaseMs}ms`, queue: 'default' };

/** The driver under torture. */
const drivers = {
  redis: () => redis({ ...reach, ...common, commandTimeout }),
  'redis-cluster': () => redis({ ...reach, ...common, commandTimeout }),
  'redis-sentinel': () => redis({ ...reach, ...common, commandTimeout }),
  sqlite: () => database({ ...reach, ...common, synchronous: 'full' }),
  mysql: () => database({ ...reach, ...common, commandTimeout }),
  postgres: () => database({ ...reach, ...common, commandTimeout }),
  naive: () => naive({ file, leaseMs, mutant }),
};

export default {
  connections: {
    default: drivers[driver](),
    ...(graves && { graves: database({ url: graves, synchronous: 'full' }) }),
  },
  ...(graves && { default: 'default', failed: { connection: 'graves' } }),
  jobs: './jobs/*.mjs',
  worker: {
    timeout: `${timeoutMs}ms`,
    grace: `${graceMs}ms`,
    sleep: `${pollMs}ms`,
    shutdownTimeout: '2s',
    tries,
  },
};
