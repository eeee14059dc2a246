import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { FileSlots } from './file-slots.ts';

function fill(slots: FileSlots, sizeBytes: number): number {
  let count = 0;
  while (slots.take(sizeBytes)) count++;
  return count;
}

test('file slots: so many large files, or four times as many small ones', () => {
  assert.equal(fill(new FileSlots(4), MIB + 1), 4);
  assert.equal(fill(new FileSlots(4), MIB), 16);
  assert.equal(fill(new FileSlots(4), 0), 16);
});

test('file slots: one file at a time means one, of any size', () => {
  for (const sizeBytes of [0, MIB, MIB + 1]) assert.equal(fill(new FileSlots(1), sizeBytes), 1);
});

test('file slots: small and large files share the places, and free them', () => {
  const slots = new FileSlots(2);
  const small = slots.take(10);
  assert.ok(small);
  assert.ok(slots.take(MIB + 1));
  assert.equal(slots.take(MIB + 1), null);
  small();
  assert.ok(slots.take(MIB + 1));
  assert.equal(slots.take(10), null);
});
