import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAcceptedType } from './accepted-types.ts';

test('accepted types: a listed extension is accepted, and with * any name', () => {
  assert.equal(isAcceptedType(['tif', 'gz'], 'gz'), true);
  assert.equal(isAcceptedType(['tif'], 'gz'), false);
  assert.equal(isAcceptedType(['tif'], ''), false);
  assert.equal(isAcceptedType(['*'], ''), true);
  assert.equal(isAcceptedType([], '*'), false);
});
