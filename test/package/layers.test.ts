import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './root.js';

const layers = ['loader', 'src', 'drivers', 'migrations', 'config', 'cli', 'test/conformance'] as const;

/** A small tree that keeps every rule, each allowed direction used once. */
const lawful: Record<string, string> = {
  'loader/load.ts': "import 'node:fs';\nexport const load = 1;",
  'src/index.ts': "export * from './job.js';",
  'src/job.ts':
    "import { randomUUID } from 'node:crypto';\nimport type { StandardSchemaV1 } from '@standard-schema/spec';\n" +
    "import type { Queue } from './queue.js';\nexport const id = randomUUID;\nexport type A = StandardSchemaV1 | Queue;",
  'src/queue.ts': "import { id } from './job.js';\nexport type Queue = typeof id;",
  'src/half-ring.ts': '',
  'src/ring.ts': "import './half-ring.js';",
  'drivers/memory/index.ts': "export { id } from '../../src/index.js';\nexport { heap } from './heap.js';",
  'drivers/memory/heap.ts': 'export const heap = 1;',
  'drivers/database/index.ts':
    "import type { Knex } from 'knex';\nexport { steps } from '../../migrations/index.js';\n" +
    "export const load = async (): Promise<Knex> => import('knex');",
  'migrations/index.ts': "export { steps } from './0001.js';",
  'migrations/0001.ts': 'export const steps = 1;',
  'config/index.ts':
    "export { createJiti } from 'jiti';\nexport { heap } from '../drivers/memory/index.js';\nexport { id } from '../src/index.js';",
  'config/telemetry/metrics.ts':
    "import type { Registry } from 'prom-client';\nexport type Metrics = Registry;\nexport const metrics = 1;",
  'cli/metrics/serve.ts': "export { metrics } from '../../config/telemetry/metrics.js';",
  'cli/bin.ts':
    "export { default } from 'yargs';\nexport { heap } from '../config/index.js';\nexport { id } from '../src/index.js';\n" +
    "export { load } from '../loader/load.js';",
  'test/conformance/index.ts': "export { id } from '../../src/index.js';",
  ...installed('@standard-schema/spec', 'knex', 'jiti', 'yargs', 'prom-client'),
};

/** By rule, the files that break it. */
const planted: Record<string, Record<string, string>> = {
  'loader-stands-alone': { 'loader/bad.ts': "export { id } from '../src/index.js';" },
  'src-stands-alone': {
    'src/bad-driver.ts': "import '../drivers/memory/heap.js';",
    'src/bad-config.ts': "import '../config/index.js';",
    'src/bad-type.ts': "import type { A } from '../cli/bin.js';",
    'src/bad-package.ts': "import 'left-pad';",
    'src/bad-lazy.ts': "export const a = () => import('yargs');",
  },
  'src-takes-only-types-from-standard-schema': {
    'src/bad-schema.ts': "import '@standard-schema/spec';",
  },
  'driver-uses-what-third-parties-can': {
    'drivers/memory/bad-private.ts': "export { id } from '../../src/job.js';",
    'drivers/sync/bad-sibling.ts': "export { heap } from '../memory/index.js';",
    'drivers/sync/bad-migrations.ts': "export { steps } from '../../migrations/index.js';",
  },
  'database-driver-uses-what-third-parties-can': {
    'drivers/database/bad-private.ts': "export { id } from '../../src/job.js';",
    'drivers/database/dialects/bad-step.ts': "export { steps } from '../../../migrations/0001.js';",
  },
  'redis-driver-uses-what-third-parties-can': {
    'drivers/redis/bad-migrations.ts': "export { steps } from '../../migrations/index.js';",
  },
  'webman-driver-builds-on-the-redis-driver': {
    'drivers/webman/bad-private.ts': "export { id } from '../../src/job.js';",
    'drivers/webman/bad-sibling.ts': "export { heap } from '../memory/index.js';",
  },
  'clients-load-when-needed': { 'drivers/database/bad-client.ts': "import 'knex';" },
  'migrations-stand-alone': { 'migrations/bad.ts': "export { id } from '../src/index.js';" },
  'telemetry-loads-when-asked-for': { 'config/telemetry/bad-client.ts': "import 'prom-client';" },
  'telemetry-is-not-core': {
    'config/bad-telemetry.ts': "export { metrics } from './telemetry/metrics.js';",
    'cli/bad-telemetry.ts': "export { metrics } from '../config/telemetry/metrics.js';",
  },
  'config-knows-no-cli': {
    'config/bad-cli.ts': "export { heap } from '../cli/bin.js';",
    'config/bad-private.ts': "export { heap } from '../drivers/memory/heap.js';",
  },
  'cli-goes-through-config': {
    'cli/bad-driver.ts': "export { heap } from '../drivers/memory/index.js';",
  },
  'published-suite-stands-alone': { 'test/conformance/bad.ts': "export { it } from 'vitest';" },
  'no-cycles-at-run-time': { 'src/half-ring.ts': "import './ring.js';" },
};

function installed(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`node_modules/${name}/index.js`, '']));
}

async function readOptions(): Promise<ICruiseOptions> {
  return extractOptions(join(root, '.dependency-cruiser.mjs'));
}

async function cruiseTree(baseDir: string): Promise<ICruiseResult> {
  const { output } = await cruise([...layers], { ...(await readOptions()), baseDir });
  assert(typeof output === 'object');
  return output;
}

async function writeTree(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, code] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), `${code}\n`);
  }
}

function violationsOf(result: ICruiseResult): string[] {
  return result.summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`).sort();
}

describe('the layers of this tree', () => {
  let tree: ICruiseResult;
  beforeAll(async () => {
    tree = await cruiseTree(root);
  });

  it.each(layers)('sees every file of %s', async (layer) => {
    const onDisk = (await readdir(join(root, layer), { recursive: true }))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${layer}/${name}`);
    const seen = tree.modules.map(({ source }) => source).filter((source) => source.startsWith(`${layer}/`));
    expect(onDisk.length).toBeGreaterThan(1);
    expect(seen.sort()).toEqual(onDisk.sort());
  });

  it('sees the imports between them', () => {
    const into = (layer: string) =>
      tree.modules
        .flatMap(({ dependencies }) => dependencies)
        .filter(({ resolved }) => resolved.startsWith(layer));
    expect(into('src/').length).toBeGreaterThan(100);
    expect(into('migrations/').length).toBeGreaterThan(3);
  });

  it('keeps the rules', () => {
    expect(violationsOf(tree)).toEqual([]);
  });
});

describe('the rules', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-layers-'));
    await writeTree(folder, lawful);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('allow what they should and catch each planted violation', async () => {
    expect(violationsOf(await cruiseTree(folder))).toEqual([]);
    for (const files of Object.values(planted)) await writeTree(folder, files);
    const expected = Object.entries(planted)
      .flatMap(([rule, files]) => Object.keys(files).map((file) => `${rule}: ${file}`))
      .sort();
    expect(violationsOf(await cruiseTree(folder))).toEqual(expected);
  });

  it('are all broken by the planted files', async () => {
    const { ruleSet } = await readOptions();
    const names = ruleSet?.forbidden?.map(({ name }) => name);
    expect(Object.keys(planted).sort()).toEqual(names?.sort());
  });
});
