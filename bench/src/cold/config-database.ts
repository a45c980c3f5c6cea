import { database } from '../../../dist/drivers/database/index.js';
import { taskOfThisProcess } from '../task.js';

// The config of a project on a database, whose start is measured. It imports the driver that it names, and no other.
const { place } = taskOfThisProcess();
if (!('url' in place || 'file' in place)) throw new Error('this config is of a database');

export default {
  connections: { default: database('file' in place ? `sqlite:${place.file}` : place.url) },
  jobs: './jobs/*.js',
};
