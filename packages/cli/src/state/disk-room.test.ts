import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DiskRoom } from './disk-room.ts';

const MINUTE_MS = 60_000;
const GIB = 1024 ** 3;

/** Looks at each of these moments. @param free GiB by minute. */
async function watch(free: readonly (number | Error)[]) {
  let minute = 0;
  const room = new DiskRoom(async () => {
    const now = free[minute];
    if (typeof now !== 'number') throw now;
    return now * GIB;
  });
  for (; minute < free.length; minute++) {
    room.look(minute * MINUTE_MS);
    await turn();
  }
  return room.report;
}

test('disk room: a disk that loses 1 GiB a minute is full after what is free', async () => {
  assert.deepEqual(await watch([100, 99, 98, 97, 96, 95]), { freeBytes: 95 * GIB, fullAtMs: 100 * MINUTE_MS });
});

test('disk room: what was longer ago than an hour does not count', async () => {
  const still = Array.from({ length: 61 }, () => 100);
  const falling = Array.from({ length: 61 }, (_, at) => 99 - at);
  const { fullAtMs = null } = (await watch([...still, ...falling])) ?? {};
  assert.equal(Math.round((fullAtMs ?? 0) / MINUTE_MS), 121 + 39);
});

test('disk room: nothing is predicted before five minutes, and of a disk that does not fill', async () => {
  assert.equal((await watch([100, 99, 98, 97]))?.fullAtMs, null);
  assert.equal((await watch([100, 100, 100, 100, 100, 100]))?.fullAtMs, null);
  assert.equal((await watch([90, 92, 94, 96, 98, 100]))?.fullAtMs, null);
  assert.equal((await watch([1000, 1000, 1000, 1000, 1000, 1000 - 1e-6]))?.fullAtMs, null);
});

test('disk room: a folder that cannot be read has no room', async () => {
  assert.equal(await watch([]), null);
  assert.equal(await watch([100, 99, 98, 97, 96, 95, new Error('away')]), null);
});

test('disk room: it is looked at once a minute, and not again while a share does not answer', async () => {
  let reads = 0;
  const room = new DiskRoom(() => {
    reads++;
    return reads === 1 ? Promise.resolve(1) : new Promise(() => {});
  });
  for (let seconds = 0; seconds < 600; seconds++) {
    room.look(seconds * 1000);
    await turn();
  }
  assert.equal(reads, 2);
});

test('disk room: a full disk is full now', async () => {
  assert.equal((await watch([5, 4, 3, 2, 1, 0]))?.fullAtMs, 5 * MINUTE_MS);
});
