// What is imported on demand has a file of its own: one that others share as well would need a helper, which each worker
// process would load.
export { runWorker } from './work.js';
