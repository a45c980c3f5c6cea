import { defineConfig } from 'drover/config';
import { database } from 'drover/drivers/database';

export default defineConfig({
  connections: {
    // Another store is another line here: the jobs and the commands stay the same.
    default: database('sqlite:./newsletter.sqlite'),
  },
  jobs: './jobs/*.ts',
});
