import { expect, test } from 'vitest';
import { deaf } from '../../drivers/database/dialects/silence.js';

test.each([
  [0, 4, 6],
  [8, 4, 6],
  [40, 16, 24],
  [2000, 800, 1200],
])('who hears nothing, and had no job for %i ms, looks again after %i to %i ms', (quietMs, least, most) => {
  for (let n = 0; n < 100; n++) {
    const afterMs = deaf.lookAgainMs?.(quietMs) ?? 0;
    expect(afterMs).toBeGreaterThanOrEqual(least);
    expect(afterMs).toBeLessThanOrEqual(most);
  }
});
