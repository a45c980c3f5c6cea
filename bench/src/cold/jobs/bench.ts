import { benchJob } from '../../drover.js';
import { sayStarted } from '../marker.js';

export const bench = benchJob(sayStarted);
