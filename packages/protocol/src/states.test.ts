import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_STATES, statesAllowing, transition, UPLOAD_EVENTS, UPLOAD_STATES } from './states.ts';

test('upload states: each event leads to one state, from wherever it is allowed', () => {
  for (const event of UPLOAD_EVENTS) {
    const targets = new Set(UPLOAD_STATES.map((state) => transition(state, event)).filter((state) => state !== null));
    assert.equal(targets.size, 1, event);
    assert.equal(statesAllowing(event).length > 0, true, event);
  }
});

test('upload states: every state can reach an end, and an end is final', () => {
  const ends = UPLOAD_STATES.filter((state) => UPLOAD_EVENTS.every((event) => transition(state, event) === null));
  assert.deepEqual(ends, ['completed', 'cancelled', 'expired']);
  for (const state of UPLOAD_STATES) {
    const found = new Set([state]);
    for (const each of found) {
      for (const event of UPLOAD_EVENTS) {
        const next = transition(each, event);
        if (next) found.add(next);
      }
    }
    assert.ok(
      ends.some((end) => found.has(end)),
      state,
    );
  }
});

// Invariant 6
test('upload states: whatever has bytes expires, unless it is being verified', () => {
  assert.deepEqual(statesAllowing('expire'), ['pending', 'uploading', 'failed']);
});

test('upload states: parts are accepted only before verification', () => {
  assert.deepEqual(OPEN_STATES, ['pending', 'uploading']);
});
