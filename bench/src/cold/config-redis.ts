import { redis } from '../../../dist/drivers/redis/index.js';
import { taskOfThisProcess } from '../task.js';

// The config of a project on Redis, whose start is measured. It imports the driver that it names, and no other.
const { place } = taskOfThisProcess();
if (place.store !== 'redis') throw new Error('this config is of Redis');

export default {
  connections: { default: redis(`redis://127.0.0.1:${place.port}`) },
  jobs: './jobs/*.js',
};
