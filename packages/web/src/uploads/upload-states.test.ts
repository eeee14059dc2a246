import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  traitsOf,
  transition,
  UPLOAD_EVENTS,
  UPLOAD_STATES,
  type UploadEvent,
  type UploadState,
} from './upload-states.ts';

function run(start: UploadState, events: readonly UploadEvent[]): UploadState | null {
  return events.reduce<UploadState | null>((state, event) => state && transition(state, event), start);
}

function statesAllowing(event: UploadEvent): UploadState[] {
  return UPLOAD_STATES.filter((state) => transition(state, event) !== null);
}

test('upload states: an accepted file is queued, runs and is published', () => {
  assert.equal(run('checking', ['accept', 'start', 'publish']), 'done');
});

test('upload states: pausing works before and during a run, and resuming checks the header again', () => {
  assert.deepEqual(statesAllowing('pause'), ['checking', 'queued', 'running']);
  assert.equal(run('running', ['pause', 'resume']), 'checking');
});

test('upload states: a sign-out sends running uploads back to the queue and changes no other', () => {
  assert.deepEqual(statesAllowing('suspend'), ['running']);
  assert.equal(transition('running', 'suspend'), 'queued');
});

test('upload states: a refused file can only be resumed', () => {
  assert.deepEqual(
    UPLOAD_EVENTS.filter((event) => transition('refused', event) !== null),
    ['resume'],
  );
});

test('upload states: the header check ends only the state checking', () => {
  assert.deepEqual(statesAllowing('accept'), ['checking']);
  assert.deepEqual(statesAllowing('refuse'), ['checking']);
  assert.deepEqual(statesAllowing('start'), ['queued']);
});

test('upload states: an upload that the server publishes during a pause or a cancellation is done', () => {
  assert.equal(run('running', ['pause', 'publish']), 'done');
  assert.equal(run('running', ['cancel', 'publish']), 'done');
});

test('upload states: a failed cancellation can be repeated', () => {
  assert.equal(run('running', ['cancel', 'fail', 'cancel']), 'cancelling');
  assert.equal(transition('cancelling', 'cancel'), null);
});

test('upload states: done is the only state without an exit', () => {
  const hasExit = (state: UploadState) => UPLOAD_EVENTS.some((event) => transition(state, event) !== null);
  assert.deepEqual(
    UPLOAD_STATES.filter((state) => !hasExit(state)),
    ['done'],
  );
});

test('upload states: done can be reached from every state', () => {
  const reachable = new Set<UploadState>(['done']);
  for (const _ of UPLOAD_STATES) {
    for (const state of UPLOAD_STATES) {
      if (UPLOAD_EVENTS.some((event) => reachable.has(transition(state, event) as UploadState))) reachable.add(state);
    }
  }
  assert.deepEqual([...reachable].sort(), [...UPLOAD_STATES].sort());
});

test('upload states: an upload that can be removed cannot be cancelled, and every other one can or is being cancelled', () => {
  const removable = UPLOAD_STATES.filter((state) => traitsOf(state).isRemovable);
  assert.deepEqual(removable, ['refused', 'done']);
  const cancellable = statesAllowing('cancel');
  assert.deepEqual([...removable, ...cancellable, 'cancelling'].sort(), [...UPLOAD_STATES].sort());
});

test('upload states: every state in which an upload continues with its file can be resumed', () => {
  const resumable = UPLOAD_STATES.filter((state) => traitsOf(state).isResumable);
  assert.deepEqual(resumable, ['paused', 'interrupted', 'failed']);
  for (const state of resumable) assert.equal(transition(state, 'resume'), 'checking');
});

test('upload states: active uploads are unfinished and counted', () => {
  const active = UPLOAD_STATES.filter((state) => traitsOf(state).isActive);
  assert.deepEqual(active, ['checking', 'queued', 'running']);
  for (const state of active) assert.ok(traitsOf(state).isUnfinished && traitsOf(state).isCounted);
});
