import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flight } from './part-window.ts';

const ping = async () => {};
const NEVER = new AbortController().signal;

/** Asks for a place. @returns whether it was given, once everything that is due has happened. */
async function ask(flight: Flight, signal = NEVER): Promise<{ entered: boolean }> {
  const place = { entered: false };
  flight.enter(signal).then(
    () => {
      place.entered = true;
    },
    () => {},
  );
  await new Promise(setImmediate);
  return place;
}

test('parts wait in the order in which they came until there is a place', async () => {
  const flight = new Flight(2, ping);
  await ask(flight);
  await ask(flight);
  const [third, fourth] = [await ask(flight), await ask(flight)];
  assert.deepEqual([third.entered, fourth.entered], [false, false]);
  flight.leave();
  await new Promise(setImmediate);
  assert.deepEqual([third.entered, fourth.entered], [true, false]);
});

test('who gives up waiting makes room for those behind', async () => {
  const flight = new Flight(1, ping);
  await ask(flight);
  const controller = new AbortController();
  const refused = flight.enter(controller.signal);
  const next = await ask(flight);
  controller.abort(new Error('enough'));
  await assert.rejects(refused, /enough/);
  flight.leave();
  await new Promise(setImmediate);
  assert.equal(next.entered, true);
});
