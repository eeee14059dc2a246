import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairShare } from './fair-share.ts';

test('fair share: one owner cannot take all, and a returned amount can be taken again', () => {
  const share = new FairShare(10, 6);
  const giveBack = share.take('ada', 6);
  assert.ok(giveBack);
  assert.equal(share.take('ada', 1), null, 'ada has her share');
  assert.ok(share.take('bob', 4), 'the rest is left for others');
  assert.equal(share.take('eve', 1), null, 'nothing is left');
  giveBack();
  assert.ok(share.take('eve', 6));
});

test('fair share: all links of one owner together cannot take all', () => {
  const share = new FairShare(12, 3);
  const links = ['link1', 'link2', 'link3', 'link4'].map((link) => share.take(link, 3, 'ada'));
  assert.deepEqual(links.map(Boolean), [true, true, false, false]);
  assert.ok(share.take('bob', 3));
  links[0]?.();
  assert.ok(share.take('link3', 3, 'ada'));
});
