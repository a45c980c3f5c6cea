import { expect, test } from 'vitest';
import { youngGeneration } from '../../cli/supervise/young-generation.js';

test('a worker process gets a small young generation', () => {
  expect(youngGeneration([], {})).toEqual(['--max-semi-space-size=4']);
  expect(youngGeneration(['--enable-source-maps'], { NODE_OPTIONS: '--max-old-space-size=512' })).toEqual([
    '--max-semi-space-size=4',
  ]);
});

test.each([
  [['--max-semi-space-size=32'], {}],
  [['--max_semi_space_size=32'], {}],
  [['--min-semi-space-size=8'], {}],
  [[], { NODE_OPTIONS: '--max-semi-space-size=32' }],
])('unless somebody has said how large it shall be: %j %j', (execArgv, env) => {
  expect(youngGeneration(execArgv, env)).toEqual([]);
});
