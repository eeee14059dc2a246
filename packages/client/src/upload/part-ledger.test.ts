import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartLedger } from './part-ledger.ts';

const digest = (byte: number) => new Uint8Array(32).fill(byte);

function makeLedger(): PartLedger {
  const ledger = new PartLedger();
  // Parts of 100, 100 and 50 bytes.
  ledger.begin(250, 100);
  for (const idx of [0, 1, 2]) ledger.noteMissing(idx);
  return ledger;
}

// Invariant 7
test('part ledger: a part counts when it is acknowledged, once', () => {
  const ledger = makeLedger();
  assert.equal(ledger.take(), 0);
  assert.equal(ledger.noteArrived(0), false, 'its digest is not known');
  ledger.noteDigest(0, digest(0));
  assert.equal(ledger.storedBytes, 0);
  assert.equal(ledger.noteArrived(0), true);
  assert.equal(ledger.noteArrived(0), false);
  ledger.noteStored(0, digest(0));
  assert.equal(ledger.storedBytes, 100);
});

// Invariant 7
test('part ledger: a part that the server has invalidated does not count, and is missing', () => {
  const ledger = makeLedger();
  for (const idx of [0, 1, 2]) {
    ledger.take();
    ledger.noteDigest(idx, digest(idx));
    ledger.noteArrived(idx);
  }
  assert.equal(ledger.storedBytes, 250);
  assert.ok(ledger.joinedDigests(3));
  ledger.noteMissing(2);
  assert.deepEqual([ledger.storedBytes, ledger.missing.has(2), ledger.joinedDigests(3)], [200, true, null]);
});

test('part ledger: parts that the server had before count when they have the bytes of the file', () => {
  const ledger = makeLedger();
  ledger.noteFound(0, digest(0));
  ledger.noteFound(1, digest(1));
  assert.equal(ledger.storedBytes, 0);
  assert.equal(ledger.noteCompared(0, digest(0)), true);
  assert.equal(ledger.noteCompared(1, digest(9)), false);
  assert.equal(ledger.storedBytes, 100);
  ledger.doubtStored();
  assert.deepEqual([ledger.storedBytes, ledger.found.size], [0, 2]);
});
