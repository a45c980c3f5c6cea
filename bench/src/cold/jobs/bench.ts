import { defineJob } from '../../../../dist/src/index.js';
import { sayStarted } from '../marker.js';

export const bench = defineJob({ name: 'bench', handle: sayStarted });
