// What operators ask of a queue. A file of its own, imported where one of them is called: workers and pushers never do.
export { diagnose } from './diagnose.js';
export { findJobs, listJobs } from './job-listing.js';
export { listingSource } from './listing-source.js';
export { monitor } from './monitor.js';
export { FailedJobMover } from './retry-failed.js';
export { checkStatsOptions, readStats } from './statistics-report.js';
export { listWorkers } from './worker-list.js';
