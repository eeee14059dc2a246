import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UPLOAD_STATES as SERVER_STATES } from '@cryolift/protocol/states';
import { texts } from '../texts.ts';
import { UPLOAD_STATES } from '../uploads/upload-states.ts';
import { adminTexts } from './admin.ts';

/** Every text without arguments, with its path. */
function* plainTexts(value: object, path = ''): Generator<[string, string]> {
  for (const [key, child] of Object.entries(value)) {
    if (typeof child === 'string') yield [`${path}${key}`, child];
    else if (typeof child === 'object') yield* plainTexts(child, `${path}${key}.`);
  }
}

test('texts: every state of the page and of the server has a label', () => {
  assert.deepEqual(Object.keys(texts.upload.state).sort(), [...UPLOAD_STATES].sort());
  assert.deepEqual(Object.keys(texts.activity.states).sort(), [...SERVER_STATES].sort());
});

test('texts: none is empty or has spaces around it', () => {
  for (const [path, text] of plainTexts({ ...texts, admin: adminTexts }))
    assert.ok(text !== '' && text === text.trim(), path);
});

test('texts: one thing is singular, and any other number is plural', () => {
  assert.equal(texts.upload.allDone(1), '1 file uploaded');
  assert.equal(texts.upload.total(1, 1000), '1 of 1,000 files uploaded');
  assert.equal(texts.activity.parts(0, 1), '0 of 1 part');
  assert.equal(texts.drop.leftOut(1), '1 file of other types in the folder was left out.');
  assert.equal(texts.drop.unreadable(2), '2 files or folders could not be read and were left out.');
  assert.match(texts.signIn.waitingForSignIn(1), /^1 upload waits here until the user who started it signs in again/);
  assert.match(texts.signIn.waitingForSignIn(2), /^2 uploads wait here until the user who started them signs in again/);
});

test('texts: a number of the MRC mode without a name is shown as it is', () => {
  assert.deepEqual([texts.mrc.mode(2), texts.mrc.mode(99)], ['float32', 'mode 99']);
});

test('texts: the share of the uploads is in the title', () => {
  assert.deepEqual([texts.title('42 %'), texts.title(null)], ['42 % · Cryolift', 'Cryolift']);
});
