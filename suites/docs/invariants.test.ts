/** Each invariant of page 8 is held by a test that cites it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listSources, read } from './pages.ts';

const PAGE = 'docs/architecture/8-invariants.md';
const NUMBERS = [...read(PAGE).matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number));
const CITED = listSources()
  .filter((path) => path.endsWith('.test.ts'))
  .flatMap((path) => {
    return [...read(path).matchAll(/^ *\/\/ Invariants? (\d+(?:, \d+)*)\b/gm)].map(([, numbers = '']) => ({
      path,
      numbers,
    }));
  });

test('invariants: the page numbers them from 1 to 12', () => {
  assert.deepEqual(
    NUMBERS,
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
});

for (const number of NUMBERS) {
  test(`invariant ${number}: at least one test cites it`, () => {
    assert.ok(CITED.some(({ numbers }) => numbers.split(', ').includes(String(number))));
  });
}

test('invariants: tests cite none that the page does not have', () => {
  for (const { path, numbers } of CITED) {
    for (const number of numbers.split(', ')) assert.ok(NUMBERS.includes(Number(number)), `${path}: ${number}`);
  }
});
