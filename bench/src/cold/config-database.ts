import { taskOfThisProcess } from '../task.js';

// The config of a project whose start is measured. It imports the driver that it names, as a project's does.
const { place } = taskOfThisProcess();

async function driver() {
  if (place.store === 'redis') {
    const { redis } = await import('../../../dist/drivers/redis/index.js');
    return redis(`redis://127.0.0.1:${place.port}`);
  }
  const { database } = await import('../../../dist/drivers/database/index.js');
  return database(`sqlite:${place.file}`);
}

export default {
  connections: { default: await driver() },
  jobs: './jobs/*.js',
};
