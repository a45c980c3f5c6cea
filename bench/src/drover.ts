import { database } from '../../dist/drivers/database/index.js';
import { redis } from '../../dist/drivers/redis/index.js';
import { type Driver, defineJob, type JobDefinition } from '../../dist/src/index.js';
import type { JobData, Place } from './contender.js';

/** The connection to a place, with the settings that nobody asked for. */
export function driverOf(place: Place): Driver {
  return place.store === 'redis'
    ? redis(`redis://127.0.0.1:${place.port}`)
    : database(`sqlite:${place.file}`);
}

/** The job that is measured. */
export function benchJob(handle: (data: JobData) => void): JobDefinition<JobData> {
  return defineJob<JobData>({ name: 'bench', handle: ({ data }) => handle(data) });
}
