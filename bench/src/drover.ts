import { database } from '../../dist/drivers/database/index.js';
import { redis } from '../../dist/drivers/redis/index.js';
import { type Driver, defineJob, type JobDefinition } from '../../dist/src/index.js';
import type { Handle, JobData, Place } from './contender.js';

/** The connection to a place, with the settings that nobody asked for. */
export function driverOf(place: Place): Driver {
  if (place.store === 'redis') return redis(`redis://127.0.0.1:${place.port}`);
  return database(place.store === 'sqlite' ? `sqlite:${place.file}` : place.url);
}

/** The job that is measured. */
export function benchJob(handle: Handle): JobDefinition<JobData> {
  return defineJob<JobData>({ name: 'bench', handle: ({ data }) => handle(data) });
}
