import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNECTION_EVENTS, CONNECTION_STATES, type ConnectionState, transition } from './states.ts';

/** The states that can follow `state`, at any distance. */
function reachableFrom(state: ConnectionState): Set<ConnectionState> {
  const found = new Set<ConnectionState>();
  const next = [state];
  for (const each of next) {
    for (const event of CONNECTION_EVENTS) {
      const to = transition(each, event);
      if (to === null || found.has(to)) continue;
      found.add(to);
      next.push(to);
    }
  }
  return found;
}

test('fast path states: every state is reached from idle, and every one leads to closed', () => {
  assert.deepEqual([...reachableFrom('idle')].sort(), [...CONNECTION_STATES].sort());
  for (const state of CONNECTION_STATES) {
    assert.equal(transition(state, 'close'), state === 'closed' ? null : 'closed', state);
  }
});

test('fast path states: a connection that was handed over, or is closing, serves no further request', () => {
  assert.deepEqual([...reachableFrom('handed_over')], ['closed']);
  assert.deepEqual([...reachableFrom('closing')], ['closed']);
  assert.deepEqual([...reachableFrom('closed')], []);
});

test('fast path states: a request is settled only after its answer', () => {
  assert.equal(transition('request', 'settle'), null);
  assert.equal(transition('request', 'begin'), null);
  assert.equal(transition('answered', 'settle'), 'idle');
});
