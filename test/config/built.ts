import { createRequire } from 'node:module';

/**
 * The package as it is built. The test runner would load and transform every file that the code under test
 * imports, and put its own errors in place of Node's; what is required is out of its reach.
 */
const require = createRequire(import.meta.url);

export const {
  loadConfig,
  loadJobs,
  openQueue,
  writeStarterProject,
}: typeof import('../../config/index.js') = require('drover/config');

export const { defineJob }: typeof import('../../src/index.js') = require('drover');

export const { memory }: typeof import('../../drivers/memory/index.js') = require('drover/drivers/memory');
