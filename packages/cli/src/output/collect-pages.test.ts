import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect } from './collect-pages.ts';

test('collect: goes on after empty pages, which a search answers', async () => {
  const pages = [[1], [], [], [2]];
  const read = async (cursor = '0') => {
    const at = Number(cursor);
    return { items: pages[at] as number[], next_cursor: at + 1 === pages.length ? null : String(at + 1) };
  };
  assert.deepEqual(await collect(read), [1, 2]);
});

test('collect: a list that does not end is refused', async () => {
  let calls = 0;
  const empty = async () => ({ items: [], next_cursor: String(++calls) });
  await assert.rejects(collect(empty), { name: 'ForeignReplyError' });
  await assert.rejects(
    collect(async () => ({ items: [1], next_cursor: 'again' })),
    { name: 'ForeignReplyError' },
  );
});
