import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countPieceBytes } from './pieces.ts';

const pieces = (...extents: [offset: number, length: number][]) =>
  extents.map(([offset, length]) => ({ upload_id: 'u', offset, length, sha256: new Uint8Array(32), receipt: null }));

// Invariant 7
test('pieces: bytes count up to the first gap', () => {
  assert.equal(countPieceBytes([], 100), 0);
  assert.equal(countPieceBytes(pieces([100, 30], [130, 20]), 100), 50);
  assert.equal(countPieceBytes(pieces([100, 30], [131, 20]), 100), 30);
  assert.equal(countPieceBytes(pieces([110, 30]), 100), 0);
  assert.equal(countPieceBytes(pieces([100, 30], [100, 50]), 100), 50, 'one in the place of another');
  assert.equal(countPieceBytes(pieces([60, 40], [100, 10]), 100), 10);
});
