import { type Driver, defineJob, type JobDefinition } from '../../dist/src/index.js';
import type { Handle, JobData, Place } from './contender.js';

/** The connection to a place, with the settings that nobody asked for. It loads no other driver, as nobody's config does. */
export async function driverOf(place: Place): Promise<Driver> {
  if (place.store === 'redis') {
    const { redis } = await import('../../dist/drivers/redis/index.js');
    return redis(`redis://127.0.0.1:${place.port}`);
  }
  if (place.store === 'sync') return (await import('../../dist/drivers/sync/index.js')).sync();
  const { database } = await import('../../dist/drivers/database/index.js');
  return database(place.store === 'sqlite' ? `sqlite:${place.file}` : place.url);
}

/** The job that is measured. */
export function benchJob(handle: Handle): JobDefinition<JobData> {
  return defineJob<JobData>({ name: 'bench', handle: ({ data }) => handle(data) });
}
