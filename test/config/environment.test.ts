import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, writeStarterProject } from './built.js';
import { errorOf, makeProject, runIn } from './project.js';

const env = {};

describe('the environment', () => {
  const two = `import { memory } from 'drover/drivers/memory';
    export default { default: 'main', connections: { main: memory(), spare: memory() } };`;

  test('QUEUE_CONNECTION goes before the file, a flag before both, and empty means unset', async () => {
    const cwd = await makeProject({ 'drover.config.mjs': two });
    const defaultWith = async (options: object) =>
      (await loadConfig({ cwd, env, ...options })).config.default;
    expect(await defaultWith({})).toBe('main');
    expect(await defaultWith({ env: { QUEUE_CONNECTION: 'spare' } })).toBe('spare');
    expect(await defaultWith({ env: { QUEUE_CONNECTION: '' } })).toBe('main');
    expect(await defaultWith({ env: { QUEUE_CONNECTION: 'nonsense' }, connection: 'spare' })).toBe('spare');
  });

  test('an unknown choice names the variable, where it was that, and the connections', async () => {
    const cwd = await makeProject({ 'drover.config.mjs': two });
    const byVariable = await errorOf(loadConfig({ cwd, env: { QUEUE_CONNECTION: 'spaer' } }));
    expect(byVariable).toMatchObject({
      code: 'E_CONNECTION_UNKNOWN',
      message: 'QUEUE_CONNECTION: there is no connection "spaer"; the config has main, spare',
      fix: 'Did you mean spare?',
    });
    const byFlag = await errorOf(loadConfig({ cwd, env, connection: 'toString' }));
    expect(byFlag.message).toBe('there is no connection "toString"; the config has main, spare');
  });

  test('the environment of the process counts by default, and so does its working directory', async () => {
    const cwd = await makeProject({ 'drover.config.mjs': two });
    const code = `import { loadConfig } from 'drover/config';
      const { config, file } = await loadConfig();
      console.log(config.default, file);`;
    expect(await runIn(cwd, code, { QUEUE_CONNECTION: 'spare' })).toBe(
      `spare ${join(cwd, 'drover.config.mjs')}\n`,
    );
  });

  test('DATABASE_URL moves the built-in database, relative to the working directory', async () => {
    const cwd = await makeProject();
    const code = `import { openQueue } from 'drover/config';
      const queue = await openQueue();
      await queue.push('hello');
      console.log((await queue.size()).ready);
      await queue.close();
      const { existsSync } = await import('node:fs');
      console.log(existsSync('drover.sqlite'), existsSync('other.sqlite'));`;
    expect(await runIn(cwd, code)).toBe('1\ntrue false\n');
    const other = await makeProject();
    expect(await runIn(other, code, { DATABASE_URL: 'sqlite:./other.sqlite' })).toBe('1\nfalse true\n');
    const empty = await makeProject();
    expect(await runIn(empty, code, { DATABASE_URL: '' })).toBe('1\ntrue false\n');
  });

  test('a DATABASE_URL of another database is refused without its password', async () => {
    const cwd = await makeProject();
    const code = `import { loadConfig } from 'drover/config';
      import { inspect } from 'node:util';
      await loadConfig().catch((error) => console.log(inspect(error, { depth: 9 }), error.fix));`;
    const shown = await runIn(cwd, code, { DATABASE_URL: 'mssql://app:s3cr3t-CANARY@db/app' });
    expect(shown).toContain('the built-in config: DATABASE_URL: mssql: ');
    expect(shown).toContain('E_UNSUPPORTED');
    expect(shown).toContain('Unset DATABASE_URL');
    expect(shown).not.toContain('CANARY');
  });

  test.each(['mongodb', 'redis'])(
    'a %s: DATABASE_URL that a config reads is named as the cause',
    async (scheme) => {
      const code = `import { loadConfig } from 'drover/config';
      import { inspect } from 'node:util';
      await loadConfig().catch((error) => console.log(inspect(error, { depth: 9 }), error.fix));`;
      const variables = { DATABASE_URL: `${scheme}://app:s3cr3t-CANARY@db/app` };
      const written = await makeProject({ 'tsconfig.json': '{}' });
      await writeStarterProject(written);
      const json = await makeProject({
        'drover.config.json': '{ "connections": { "main": { "driver": "database" } } }',
      });
      for (const cwd of [written, json]) {
        const shown = await runIn(cwd, code, variables);
        expect(shown).toContain('DATABASE_URL is set, to ');
        expect(shown).toContain('Unset DATABASE_URL (or empty it: DATABASE_URL= npx drover …)');
        expect(shown).not.toMatch(/CANARY|at file:.*@db/);
      }
    },
  );

  test.each([
    [
      'JSON',
      'drover.config.json',
      '{ "connections": { "main": { "driver": "database", "url": "mssql://db/a" } } }',
    ],
    [
      'code',
      'drover.config.mjs',
      `import { database } from 'drover/drivers/database';
      export default { connections: { main: database('mssql://db/a') } };`,
    ],
  ])('DATABASE_URL is not blamed for a URL that %s gives itself', async (_name, file, text) => {
    const cwd = await makeProject({ [file]: text });
    const code = `import { loadConfig } from 'drover/config';
      await loadConfig().catch((error) => console.log(error.message, error.fix));`;
    const shown = await runIn(cwd, code, { DATABASE_URL: 'mongodb://db/a' });
    expect(shown).toContain('mssql: ');
    expect(shown).not.toContain('DATABASE_URL');
  });
});

describe('REDIS_URL', () => {
  test.each([
    { QUEUE_CONNECTION: 'redis', REDIS_URL: '' },
    { QUEUE_CONNECTION: 'redis', REDIS_URL: 'redis://:secret@elsewhere/3' },
  ])('redis is a connection of the built-in config where the environment asks for it: %o', async (asked) => {
    const cwd = await makeProject();
    const code = `import { loadConfig } from 'drover/config';
      const { config } = await loadConfig();
      console.log(config.default, config.connections.redis.driver);`;
    expect(await runIn(cwd, code, asked)).toBe('redis redis\n');
  });
});
