import { database } from 'drover/drivers/database';
import { redis } from 'drover/drivers/redis';
import { settings } from './ledger.mjs';
import { naive } from './naive/driver.mjs';

const { driver, url, leaseMs, timeoutMs, graceMs, pollMs, tries, mutant, file } = settings;
const common = { lease: `${leaseMs}ms`, queue: 'default' };

/** The driver under torture. */
const drivers = {
  redis: () => redis({ url, ...common, commandTimeout: '2s' }),
  sqlite: () => database({ url, ...common, synchronous: 'full' }),
  mysql: () => database({ url, ...common, commandTimeout: '2s' }),
  postgres: () => database({ url, ...common, commandTimeout: '2s' }),
  naive: () => naive({ file, leaseMs, mutant }),
};

export default {
  connections: { default: drivers[driver]() },
  jobs: './jobs/*.mjs',
  worker: {
    timeout: `${timeoutMs}ms`,
    grace: `${graceMs}ms`,
    sleep: `${pollMs}ms`,
    shutdownTimeout: '2s',
    tries,
  },
};
