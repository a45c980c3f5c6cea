import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { glob as tinyglobby } from 'tinyglobby';
import { expect, test } from 'vitest';
import { filesOfFolder } from '../../config/folder-glob.js';
import { makeProject } from './project.js';

const files = [
  'jobs/a.js',
  'jobs/b.mjs',
  'jobs/c.ts',
  'jobs/d.test.js',
  'jobs/.hidden.js',
  'jobs/js',
  'jobs/mail/e.js',
  'jobs/mail/deep/f.mjs',
  'jobs/.git/g.js',
  'jobs/node_modules/h.js',
  'jobs/mail/node_modules/x/i.js',
  'other/j.js',
];

async function makeTree(): Promise<string> {
  const directory = await makeProject(Object.fromEntries(files.map((file) => [file, ''])));
  symlinkSync(join(directory, 'other/j.js'), join(directory, 'jobs/linked.js'));
  symlinkSync(join(directory, 'nowhere.js'), join(directory, 'jobs/dangling.js'));
  mkdirSync(join(directory, 'jobs/folder.js'));
  return directory;
}

const globs = [
  './jobs/*.js',
  'jobs/*.{js,mjs}',
  './jobs/**/*.{js,mjs}',
  './jobs/**/*.js',
  'jobs/**/*.test.{js,ts}',
  './jobs/**/*',
  './missing/**/*.js',
];

test.each(globs)('%s finds what tinyglobby finds', async (glob) => {
  const directory = await makeTree();
  const ignore = ['**/node_modules/**'];
  const theirs = await tinyglobby([glob], {
    cwd: directory,
    absolute: true,
    expandDirectories: false,
    ignore,
  });
  const ours = await filesOfFolder(glob, directory);
  expect(ours?.sort()).toEqual(theirs.sort());
});

test('a folder behind a link is left to tinyglobby where folders count, and is none where they do not', async () => {
  const directory = await makeTree();
  symlinkSync(join(directory, 'other'), join(directory, 'jobs/mail/link'));
  expect(await filesOfFolder('./jobs/**/*.js', directory)).toBeUndefined();
  writeFileSync(join(directory, 'jobs/mail/k.js'), '');
  const ofMail = await filesOfFolder('./jobs/mail/*.js', directory);
  expect(ofMail?.sort()).toEqual([join(directory, 'jobs/mail/e.js'), join(directory, 'jobs/mail/k.js')]);
});

test.each([
  'jobs/**',
  'jobs/?.js',
  'jobs/{a,b}.js',
  'jobs/*.{js',
  '!jobs/*.js',
  'jobs/[ab].js',
  'jobs/*/*.js',
  '../*/jobs/**/*.js',
])('%s is left to tinyglobby', async (glob) => {
  expect(await filesOfFolder(glob, await makeTree())).toBeUndefined();
});
