import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientEvent, type ClientState, transition } from './upload-states.ts';

const STATES: ClientState[] = ['planning', 'checking', 'sending', 'reconciling', 'paused', 'failed', 'done'];
const EVENTS: ClientEvent[] = ['check', 'planned', 'other', 'doubt', 'settled', 'published', 'pause', 'fail'];

function eventsOf(state: ClientState): ClientEvent[] {
  return EVENTS.filter((event) => {
    try {
      transition(state, event);
      return true;
    } catch {
      return false;
    }
  });
}

test('states: end states are final, and all other states can be paused and can fail', () => {
  for (const state of STATES) {
    const events = eventsOf(state);
    if (['paused', 'failed', 'done'].includes(state)) assert.deepEqual(events, [], state);
    else assert.ok(events.includes('pause') && events.includes('fail'), state);
  }
});

test('states: a file is done only after sending; in doubt, the parts are requested first', () => {
  assert.deepEqual(
    STATES.filter((state) => eventsOf(state).includes('published')),
    ['sending'],
  );
  assert.equal(transition(transition('sending', 'doubt'), 'settled'), 'sending');
});
