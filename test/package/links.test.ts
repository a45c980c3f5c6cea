import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readDocument } from '../support/examples.js';
import { root } from './root.js';

interface Link {
  readonly from: string;
  /** The path in the package, of a file or a folder. */
  readonly path: string;
  readonly anchor: string | undefined;
}

let files: string[];
let documents: string[];

beforeAll(() => {
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const said = execFileSync('npm', pack, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  const [packed] = JSON.parse(said) as [{ files: { path: string }[] }];
  files = packed.files.map(({ path }) => path);
  documents = files.filter((path) => path.endsWith('.md'));
}, 60_000);

const withoutCode = (text: string) => text.replace(/^ *```[\s\S]*?^ *```$/gm, '');

function linksOf(from: string): Link[] {
  const targets = [...withoutCode(readDocument(from)).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target = '']) => target,
  );
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#');
      return { from, path: file === '' ? from : normalize(join(dirname(from), file)), anchor };
    });
}

/** What GitHub and npm make of the headings of a document. */
function anchorsOf(path: string): string[] {
  const headings = withoutCode(readDocument(path)).matchAll(/^#+ (.+)$/gm);
  const slugs = [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
  const earlier = (slug: string, index: number) => slugs.slice(0, index).filter((one) => one === slug).length;
  return slugs.map((slug, index) => (earlier(slug, index) > 0 ? `${slug}-${earlier(slug, index)}` : slug));
}

/** The figures and the decisions show code, of which the package has only what is built. They are for who has a clone. */
const showsSources = ({ from, path }: Link) =>
  /^docs\/(performance\.md|adr\/)/.test(from) && /^(src|drivers|cli|config|bench|test)\/.+\.ts$/.test(path);

test('the package has the documents, the figures and the decisions', () => {
  for (const path of ['README.md', 'CHANGELOG.md', 'docs/cli.md', 'docs/performance.md', 'bench/README.md'])
    expect(documents).toContain(path);
  expect(documents.filter((path) => path.startsWith('docs/adr/')).length).toBeGreaterThanOrEqual(25);
});

test('every link of its documents leads to a file or a folder of it', () => {
  const links = documents.flatMap(linksOf);
  const isThere = (link: Link) =>
    showsSources(link)
      ? existsSync(join(root, link.path))
      : files.some((file) => file === link.path || file.startsWith(`${link.path}/`));
  expect(links.length).toBeGreaterThan(150);
  expect(links.filter((link) => !isThere(link))).toEqual([]);
});

test('every link to a heading finds it', () => {
  const links = documents.flatMap(linksOf).filter(({ anchor }) => anchor !== undefined);
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter(({ path, anchor = '' }) => !anchorsOf(path).includes(anchor))).toEqual([]);
});
