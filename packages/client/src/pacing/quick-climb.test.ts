import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuickClimb } from './quick-climb.ts';
import { RoundTrips } from './round-trips.ts';

function begin(ms: number) {
  const roundTrips = new RoundTrips();
  roundTrips.noteCall(ms);
  return { roundTrips, climb: new QuickClimb(roundTrips) };
}

test('quick climb: goes on while two doublings bring a quarter more, whatever was measured first', () => {
  for (const [goodputs, expected] of [
    [[1], true],
    [[9, 2], true],
    [[9, 2, 1], true],
    [[9, 2, 1, 2.51], true],
    [[9, 2, 3, 2.5], false],
    [[9, 2, 3, 4, 3.75], false],
    [[9, 2, 3, 6, 9], true],
  ] as const) {
    const { climb } = begin(100);
    const found = goodputs.map((goodput) => climb.isWorth(goodput)).at(-1);
    assert.equal(found, expected, String(goodputs));
  }
});

test('quick climb: only over a wide-area path, and until a long queue is seen', () => {
  assert.equal(begin(19).climb.isOn(0), false);
  const { roundTrips, climb } = begin(20);
  assert.deepEqual([climb.isOn(0), climb.settleMs], [true, 120]);
  for (const ms of [541, 541]) roundTrips.note(ms);
  assert.equal(climb.isOn(0), false);
  for (const ms of [20, 20]) roundTrips.note(ms);
  assert.equal(climb.isOn(0), false, 'for good');
});
