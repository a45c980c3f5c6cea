import type { QueueConfig } from '../src/index.js';

/** Answers the config as it is: there for the types, so that an editor completes and checks a config file. */
export function defineConfig(config: QueueConfig): QueueConfig {
  return config;
}
