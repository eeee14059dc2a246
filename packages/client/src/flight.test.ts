import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flight } from './flight.ts';

const MIB = 1024 * 1024;
const ping = async () => {};
const NEVER = new AbortController().signal;

/** Asks for a place. @returns whether it was given, once everything that is due has happened. */
async function ask(flight: Flight, bytes: number, signal = NEVER): Promise<{ entered: boolean }> {
  const place = { entered: false };
  flight.enter(bytes, signal).then(
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
  await ask(flight, MIB);
  await ask(flight, MIB);
  const [third, fourth] = [await ask(flight, MIB), await ask(flight, MIB)];
  assert.deepEqual([third.entered, fourth.entered], [false, false]);
  flight.leave(MIB);
  await new Promise(setImmediate);
  assert.deepEqual([third.entered, fourth.entered], [true, false]);
});

test('large parts wait for memory, but one always goes', async () => {
  const flight = new Flight(4, ping);
  assert.equal((await ask(flight, 512 * MIB)).entered, true);
  const next = await ask(flight, 8 * MIB);
  assert.equal(next.entered, false);
  flight.leave(512 * MIB);
  await new Promise(setImmediate);
  assert.equal(next.entered, true);
});

test('who gives up waiting makes room for those behind', async () => {
  const flight = new Flight(4, ping);
  await ask(flight, 200 * MIB);
  const controller = new AbortController();
  const refused = flight.enter(200 * MIB, controller.signal);
  const small = await ask(flight, MIB);
  assert.equal(small.entered, false);
  controller.abort(new Error('enough'));
  await assert.rejects(refused, /enough/);
  await new Promise(setImmediate);
  assert.equal(small.entered, true);
});
