/** The documentation leads somewhere: every link to a file or heading, and every test that a threat is said to be held by. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/**/*.md', 'bench/*.md'], {
  cwd: ROOT,
});

/** As GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ +(.*)$/gm)].map(([, heading = '']) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(headings);
}

for (const page of PAGES) {
  test(`${page}: its links lead to what is there`, () => {
    const text = readFileSync(join(ROOT, page), 'utf8')
      .replace(/```.*?```/gs, '')
      .replace(/`[^`\n]*`/g, '``');
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), decodeURIComponent(path));
      assert.ok(existsSync(target), `${link} is not there`);
      if (anchor === undefined || !target.endsWith('.md')) continue;
      assert.ok(anchorsOf(readFileSync(target, 'utf8')).has(anchor), `${link} has no such heading`);
    }
  });
}

test('links: each threat names a test that is there', () => {
  const tests = globSync(['packages/**/*.test.ts', 'suites/**/*.test.ts', 'suites/*', 'examples/*'], { cwd: ROOT });
  const text = readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8');
  for (const row of text.split('\n').filter((line) => /^\| (\*\*|\|)/.test(line))) {
    const [, , , , held = ''] = row.split('|');
    for (const [, name = ''] of held.matchAll(/`([^`]+)`/g)) {
      assert.ok(
        tests.some((path) => path === name || path.endsWith(`/${name}`)),
        `${name} is not there`,
      );
    }
  }
});
