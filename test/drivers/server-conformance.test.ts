import { afterAll, beforeAll, describe } from 'vitest';
import type { Internals } from '../../drivers/database/connect.js';
import { runConformance } from '../support/run-conformance.js';
import { serverHarness } from '../support/server-harness.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';
import { inTier } from '../support/tier.js';

/** What the way without SKIP LOCKED does in its own way: it reserves. */
const reserving = /^(?:reserve|deleteAndReserve|lease|order|concurrency|fencing|unreserve|real time): /;

interface Way {
  readonly name: string;
  readonly kind: ServerName;
  readonly internals: Internals;
  readonly about?: RegExp;
}

const ways = inTier<Way>(
  [
    { name: 'MariaDB', kind: 'mariadb', internals: {} },
    { name: 'PostgreSQL', kind: 'postgres', internals: {} },
  ],
  [
    {
      name: 'MariaDB without SKIP LOCKED',
      kind: 'mariadb',
      internals: { skipLocked: false },
      about: reserving,
    },
  ],
);

describe.each(ways)('$name', ({ kind, internals, about }) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  runConformance(serverHarness(sandbox, internals), [], about);
});
