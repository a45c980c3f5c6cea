// Removes from `dist` the declarations that no published entry leads to: of 530 files an application meets 150.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import manifest from './package.json' with { type: 'json' };

const reached = new Set();

function reach(file) {
  if (reached.has(file)) return;
  reached.add(file);
  for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
    const target = join(dirname(file), fileName.replace(/\.js$/, '.d.ts'));
    if (fileName.startsWith('.') && existsSync(target)) reach(target);
  }
}

for (const { types } of Object.values(manifest.exports)) if (types) reach(join(types));

for (const file of readdirSync('dist', { recursive: true }).map((name) => join('dist', name))) {
  if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
}
