/** The rules of CONTRIBUTING.md for language that a machine can check. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listSources, PAGES, proseOf, read } from './pages.ts';

const LONGEST_LINE = 120;
/** Words of an earlier vocabulary, and what docs/architecture/9-glossary.md has in their place. */
const OLD_WORDS: readonly (readonly [word: RegExp, use: string])[] = [
  [/\bwhoever\b/i, 'the caller, anyone who'],
  [/\b(the )?rooms?\b(?! for)/i, 'module, or free space'],
  [/\blookers?\b/i, 'analyzer'],
  [/\b(un)?survey(s|ed|ing)?\b/i, 'analysis'],
  [/\bguests?\b/i, 'connections'],
  [/\bstrangers?\b/i, 'orphaned files, anonymous callers'],
  [/\b(ordinary|strict) lane\b/i, 'standard path'],
  [/\bfast lane\b/i, 'fast path'],
  [/\b(is|are|was|were|be) told\b/i, 'notified, reported'],
  [/\bnews\b/i, 'events'],
  [/\bjudge[sd]?\b/i, 'check, validate'],
  [/\btake[sn]? back\b/i, 'revoke, invalidate'],
  [/\btaken back\b/i, 'revoked, invalidated'],
  [/\bpatience\b/i, 'retry policy'],
];

for (const page of PAGES) {
  const lines = proseOf(read(page)).split('\n');

  test(`${page}: prose lines have at most ${LONGEST_LINE} characters`, () => {
    const long = lines.flatMap((line, index) => {
      // A table has its rows in one line; a single word that is longer cannot be broken.
      return [...line].length > LONGEST_LINE && !/^ *\|/.test(line) && / /.test(withoutSpans(line).trim())
        ? [index + 1]
        : [];
    });
    assert.deepEqual(long, [], 'wrap these lines');
  });

  if (page.endsWith('9-glossary.md') || page === 'CONTRIBUTING.md') continue;
  test(`${page}: uses the words of the glossary`, () => {
    const found = lines.flatMap((line, index) => {
      const prose = withoutSpans(line);
      return OLD_WORDS.filter(([word]) => word.test(prose)).map(([word, use]) => {
        return `${page}:${index + 1}: ${word.exec(prose)?.[0]} (use: ${use})`;
      });
    });
    assert.deepEqual(found, []);
  });
}

test('sources: no comment cites a page that is not in the repository', () => {
  const cited = listSources()
    .filter((path) => /\.(ts|tsx|js|mjs|md|yml|css)$/.test(path) && path !== 'suites/docs/language.test.ts')
    .filter((path) => /\b(CONTRACT|DESIGN)\b/.test(read(path)));
  assert.deepEqual(cited, []);
});

/** Without code and the targets of links. */
function withoutSpans(line: string): string {
  return line.replace(/`[^`]*`/g, '``').replace(/\]\([^)]*\)/g, ']');
}
