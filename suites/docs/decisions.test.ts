/** The index of the decisions lists all of them, and says which ones have been superseded. */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { PAGES, read, rowsOf } from './pages.ts';

interface Decision {
  readonly file: string;
  readonly number: number;
  readonly title: string;
  /** The number of the decision that took its place. */
  readonly supersededBy: number | null;
}

const INDEX = 'docs/decisions/README.md';
const DECISIONS = PAGES.filter((page) => /^docs\/decisions\/\d{4}-/.test(page))
  .sort()
  .map((page): Decision => {
    const text = read(page);
    const [, number = '', title = ''] = /^# (\d+)\. (.+)\n/.exec(text) ?? [];
    const [, by] = /^\*Superseded by \[decision (\d+)\]/m.exec(text) ?? [];
    return { file: basename(page), number: Number(number), title, supersededBy: by === undefined ? null : Number(by) };
  });

test('decisions: the title has the number of the file name', () => {
  for (const { file, number } of DECISIONS) assert.equal(file.slice(0, 4), String(number).padStart(4, '0'), file);
});

test('decisions: the index has a row for each, in order, with its title and state', () => {
  const rows = rowsOf(read(INDEX)).filter(([first = '']) => first.startsWith('['));
  const expected = DECISIONS.map(({ file, number, title, supersededBy }) => {
    return [`[${number}](${file})`, title, supersededBy === null ? '' : `superseded by ${supersededBy}`];
  });
  assert.deepEqual(rows, expected);
});

test('decisions: what supersedes another one says so', () => {
  for (const { number, supersededBy } of DECISIONS) {
    if (supersededBy === null) continue;
    const by = DECISIONS.find((decision) => decision.number === supersededBy);
    assert.ok(by, `decision ${number} is superseded by ${supersededBy}, which does not exist`);
    assert.match(read(`docs/decisions/${by.file}`), new RegExp(`supersedes \\[decision ${number}\\]`, 'i'), by.file);
  }
});

test('decisions: the index says which numbers are not used', () => {
  const used = DECISIONS.map(({ number }) => number);
  const free = Array.from({ length: Math.max(...used) }, (_, index) => index + 1).filter((n) => !used.includes(n));
  const [, said = ''] = /not used: ([\d,\s]+\d)/.exec(read(INDEX)) ?? [];
  assert.deepEqual(said.split(/,\s+/).map(Number), free);
});
