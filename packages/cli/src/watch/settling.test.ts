import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Stamp } from './scan.ts';
import { Settling } from './settling.ts';

const SETTLE_MS = 60;

function stampOf(version: number): Stamp {
  return { sizeBytes: version, modifiedMs: version, changedMs: version, inode: 1 };
}

test('settling: property: a file settles exactly when it was unchanged for the whole period', () => {
  // Each observation: the elapsed time, and the version of the file; null when it is missing.
  const statFile = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.option(fc.integer({ min: 0, max: 2 })));
  fc.assert(
    fc.property(fc.array(statFile, { maxLength: 40 }), (observations) => {
      const settling = new Settling(SETTLE_MS);
      let nowMs = 0;
      let since = { version: -1, ms: 0 };
      for (const [laterMs, version] of observations) {
        nowMs += laterMs;
        if (version !== since.version) since = { version: version ?? -1, ms: nowMs };
        const present = new Map(version === null ? [] : [['a.mrc', stampOf(version)]]);
        const expected = version !== null && nowMs - since.ms >= SETTLE_MS;
        assert.equal(settling.observe(present, nowMs).has('a.mrc'), expected);
      }
    }),
  );
});

test('settling: a change of size, times or inode starts the period again, and so does forget()', () => {
  const stamp = stampOf(7);
  const changes: Partial<Stamp>[] = [{ sizeBytes: 8 }, { modifiedMs: 8 }, { changedMs: 8 }, { inode: 2 }];
  for (const change of changes) {
    const settling = new Settling(SETTLE_MS);
    settling.observe(new Map([['a.mrc', stamp]]), 0);
    assert.equal(settling.observe(new Map([['a.mrc', { ...stamp, ...change }]]), SETTLE_MS).size, 0);
  }
  const settling = new Settling(SETTLE_MS);
  const present = new Map([['a.mrc', stamp]]);
  settling.observe(present, 0);
  settling.forget('a.mrc');
  assert.equal(settling.observe(present, SETTLE_MS).size, 0);
});

test('settling: a held file is tried again after 2 s, and noted the first time', () => {
  const settling = new Settling(SETTLE_MS);
  const present = new Map([['a.mrc', stampOf(1)]]);
  const isSettled = (nowMs: number, stamps = present) => settling.observe(stamps, nowMs).has('a.mrc');
  assert.equal(settling.noteHeld('a.mrc', 0), false, 'the file is gone');
  isSettled(0);
  assert.equal(isSettled(100), true);
  assert.equal(settling.noteHeld('a.mrc', 100), true);
  assert.deepEqual([isSettled(2099), isSettled(2100)], [false, true]);
  assert.equal(settling.noteHeld('a.mrc', 2100), false);
  // It has grown while it was held.
  assert.equal(isSettled(5000, new Map([['a.mrc', stampOf(2)]])), false);
  assert.equal(settling.noteHeld('a.mrc', 5000), false);
  settling.observe(new Map(), 5001);
  isSettled(5002);
  assert.equal(settling.noteHeld('a.mrc', 5003), true, 'another file of this name');
});
