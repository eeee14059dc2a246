import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartWindow } from './part-window.ts';

const ping = async () => {};
const NEVER = new AbortController().signal;

/** Asks for a slot. @returns true when it was granted, after all pending events. */
async function ask(partWindow: PartWindow, signal = NEVER): Promise<{ entered: boolean }> {
  const place = { entered: false };
  partWindow.enter(signal).then(
    () => {
      place.entered = true;
    },
    () => {},
  );
  await new Promise(setImmediate);
  return place;
}

test('part window: parts wait in order for a slot', async () => {
  const partWindow = new PartWindow(2, ping);
  await ask(partWindow);
  await ask(partWindow);
  const [third, fourth] = [await ask(partWindow), await ask(partWindow)];
  assert.deepEqual([third.entered, fourth.entered], [false, false]);
  partWindow.leave();
  await new Promise(setImmediate);
  assert.deepEqual([third.entered, fourth.entered], [true, false]);
});

test('part window: an aborted wait leaves its slot to the next part', async () => {
  const partWindow = new PartWindow(1, ping);
  await ask(partWindow);
  const controller = new AbortController();
  const refused = partWindow.enter(controller.signal);
  const next = await ask(partWindow);
  controller.abort(new Error('enough'));
  await assert.rejects(refused, /enough/);
  partWindow.leave();
  await new Promise(setImmediate);
  assert.equal(next.entered, true);
});
