export type { ConsumeContext, ConsumedPackage, Consumer } from './consumer.js';
export { defineConfig } from './define-config.js';
export { type Generated, type GenerateOptions, generateConsumer, generateJob } from './generate.js';
export { type LoadConfigOptions, type LoadedConfig, loadConfig } from './load-config.js';
export { loadJobs } from './load-jobs.js';
export { type OpenQueueOptions, openQueue } from './open-queue.js';
export { type StarterOptions, writeStarterProject } from './starter-project.js';
export { suggest } from './suggest.js';
export { chosenGroups, configOfGroup } from './worker-groups.js';
