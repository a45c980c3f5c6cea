import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from './built.js';
import { addFiles, errorOf, makeProject } from './project.js';

const env = {};

/** A config in JavaScript whose one connection bears the name. */
const named = (name: string) =>
  `import { memory } from 'drover/drivers/memory';\nexport default { connections: { ${name}: memory() } };\n`;

describe('discovery', () => {
  const order = [
    'drover.config.ts',
    'drover.config.mts',
    'drover.config.js',
    'drover.config.mjs',
    'drover.config.json',
    'config/queue.ts',
    'config/queue.js',
  ];

  test.each(order.map((file, index) => [file, order.slice(index)] as const))(
    '%s goes before the rest',
    async (file, present) => {
      const text = (name: string) =>
        name.endsWith('.json') ? '{ "connections": { "json": { "driver": "memory" } } }' : named('code');
      const cwd = await makeProject(Object.fromEntries(present.map((name) => [name, text(name)])));
      const loaded = await loadConfig({ cwd, env });
      expect(loaded.file).toBe(join(cwd, file));
      expect(loaded.config.default).toBe(file.endsWith('.json') ? 'json' : 'code');
      expect(loaded.directory).toBe(cwd);
    },
  );

  test('nothing there means the built-in config', async () => {
    const cwd = await makeProject();
    const { config, file, directory } = await loadConfig({ cwd, env });
    expect(file).toBeNull();
    expect(directory).toBe(cwd);
    expect(Object.entries(config.connections).map(([name, { driver }]) => [name, driver])).toEqual([
      ['database', 'database'],
      ['sync', 'sync'],
      ['memory', 'memory'],
    ]);
    expect(config.default).toBe('database');
    expect(config.jobs).toBe('./jobs/**/*.{ts,mts,js,mjs}');
  });

  test('a folder of the name is not a config', async () => {
    const cwd = await makeProject({ 'drover.config.ts/readme.md': '', 'drover.config.mjs': named('main') });
    expect((await loadConfig({ cwd, env })).file).toBe(join(cwd, 'drover.config.mjs'));
  });

  test('a file asked for goes before all, and its folder is the project', async () => {
    const cwd = await makeProject({ 'drover.config.mjs': named('found'), 'etc/work.mjs': named('asked') });
    const loaded = await loadConfig({ cwd, env, file: 'etc/work.mjs' });
    expect(loaded).toMatchObject({ file: join(cwd, 'etc/work.mjs'), directory: join(cwd, 'etc') });
    expect(loaded.config.default).toBe('asked');
  });

  test('a file asked for that is not there is named', async () => {
    const cwd = await makeProject({ 'drover.config.mjs': named('found') });
    const error = await errorOf(loadConfig({ cwd, env, file: 'nowhere.ts' }));
    expect(error).toMatchObject({ code: 'E_CONFIG', message: 'the config file nowhere.ts is not there' });
    expect(error.fix).toContain(join(cwd, 'nowhere.ts'));
  });

  test('a file of another kind is refused', async () => {
    const cwd = await makeProject({ 'drover.config.yaml': '' });
    const error = await errorOf(loadConfig({ cwd, env, file: 'drover.config.yaml' }));
    expect(error.message).toContain('drover.config.yaml is none of .ts, .mts');
  });
});

test('a config behind a symlink is read from where it lies, its jobs from beside the link', async () => {
  const store = await makeProject({ 'real.mjs': named('main') });
  const cwd = await makeProject();
  await addFiles(cwd, { 'jobs/.keep': '' });
  await symlink(join(store, 'real.mjs'), join(cwd, 'drover.config.mjs'));
  expect(await loadConfig({ cwd, env })).toMatchObject({ directory: cwd, config: { default: 'main' } });
});
