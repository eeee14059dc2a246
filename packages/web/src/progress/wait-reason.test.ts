import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress } from '@cryolift/client';
import { newUpload } from '../uploads/upload.ts';
import type { UploadState } from '../uploads/upload-states.ts';
import { waitReasonOf } from './wait-reason.ts';

function upload(state: UploadState, progress: Partial<Progress> | null = null) {
  return { ...newUpload(JSON.stringify([null, 'a.mrc', 1, 0]), state, false), progress: progress as Progress | null };
}

const FULL = {
  lastError: 'There is not enough space.',
  lastErrorCode: 'insufficient_storage',
  offline: false,
} as const;
const MOVING = { lastError: null, lastErrorCode: null, offline: false } as const;

test('wait reason: nothing waits while bytes are sent, and when all is done', () => {
  assert.equal(waitReasonOf([upload('running', MOVING), upload('queued')], 'online', null), null);
  assert.equal(waitReasonOf([upload('done'), upload('failed')], 'online', null), null);
});

test('wait reason: stopped uploads are paused or interrupted', () => {
  assert.equal(waitReasonOf([upload('paused'), upload('interrupted')], 'online', null), 'Paused');
  assert.equal(waitReasonOf([upload('done'), upload('interrupted')], 'online', null), 'Interrupted');
});

test('wait reason: a sign-in and the network come before what a single upload says', () => {
  const all = [upload('running', FULL)];
  assert.equal(waitReasonOf(all, 'offline', 'Waiting for a token'), 'Waiting for a token');
  assert.equal(waitReasonOf(all, 'offline', null), 'Waiting: no network');
  assert.equal(waitReasonOf(all, 'unreachable', null), 'Waiting: the server does not answer');
});

test('wait reason: a server without space is named when no upload goes on', () => {
  assert.match(waitReasonOf([upload('running', FULL)], 'online', null) ?? '', /^Waiting: the server is full/);
  assert.equal(waitReasonOf([upload('running', FULL), upload('running', MOVING)], 'online', null), null);
  const busy = { lastError: 'The server is busy.', lastErrorCode: 'overloaded', offline: false } as const;
  assert.equal(waitReasonOf([upload('running', busy)], 'online', null), 'Waiting: The server is busy.');
});
