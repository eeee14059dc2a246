import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Flusher } from './flusher.ts';

const MIB = 1024 * 1024;
/** A flush of it fails. */
const NO_DESCRIPTOR = 1_000_000;

function openFiles(t: TestContext, flusher: Flusher, count: number): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-flush-'));
  const fds = Array.from({ length: count }, (_, at) => openSync(join(folder, String(at)), 'w'));
  t.after(async () => {
    // A flush may be under way, or about to begin.
    for (const fd of fds) await flusher.forget(fd);
    for (const fd of fds) closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return fds;
}

function makeFlusher(): Flusher {
  return new Flusher((uploadId) => assert.fail(`${uploadId} was not flushed`));
}

test('flusher: writers wait when the limit is reached, and continue after a flush', async (t) => {
  const flusher = makeFlusher();
  const [fd] = openFiles(t, flusher, 1) as [number];
  assert.equal(flusher.whenWritable(), undefined);
  flusher.noteWritten('a', fd, 128 * MIB);
  const ready = flusher.whenWritable();
  assert.ok(ready);
  await ready;
  assert.equal(flusher.whenWritable(), undefined);
});

test('flusher: bytes that arrive during a flush do not count as flushed', async (t) => {
  const flusher = makeFlusher();
  const [fd] = openFiles(t, flusher, 1) as [number];
  flusher.noteWritten('a', fd, 32 * MIB);
  flusher.noteWritten('a', fd, 128 * MIB);
  await flusher.whenWritable();
  // The first flush is over; what came after its start still fills the window, and is flushed next.
  const ready = flusher.whenWritable();
  assert.ok(ready);
  await ready;
  assert.equal(flusher.whenWritable(), undefined);
});

test('flusher: many files with few bytes each do not block writers permanently', { timeout: 110_000 }, async (t) => {
  const flusher = makeFlusher();
  const fds = openFiles(t, flusher, 10);
  for (const fd of fds) flusher.noteWritten(`upload ${fd}`, fd, 20 * MIB);
  while (flusher.whenWritable()) await flusher.whenWritable();
});

test('flusher: a forgotten file releases its bytes', async (t) => {
  const flusher = makeFlusher();
  const fds = openFiles(t, flusher, 5);
  for (const fd of fds) flusher.noteWritten(`upload ${fd}`, fd, 25 * MIB);
  assert.equal(flusher.whenWritable(), undefined);
  const [first, second] = fds as [number, number];
  await flusher.forget(first);
  flusher.noteWritten('other', second, 4 * MIB);
  assert.equal(flusher.whenWritable(), undefined);
  await flusher.forget(999);
});

test('flusher: forget waits for the running flush, so that the descriptor can be closed', async () => {
  let over = false;
  const flusher = new Flusher(() => {
    over = true;
  });
  flusher.noteWritten('a', NO_DESCRIPTOR, 128 * MIB);
  await flusher.forget(NO_DESCRIPTOR);
  assert.equal(over, true);
  assert.equal(flusher.whenWritable(), undefined);
});

test('flusher: a failed flush reports its upload, and writers continue', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const flusher = new Flusher(resolve);
  flusher.noteWritten('unlucky', NO_DESCRIPTOR, 128 * MIB);
  const ready = flusher.whenWritable();
  assert.equal(await promise, 'unlucky');
  await ready;
  assert.equal(flusher.whenWritable(), undefined);
});

test('flusher: finish flushes the remaining bytes, and waits for the callback of a failure', async () => {
  const order: string[] = [];
  const flusher = new Flusher(async (uploadId) => {
    await new Promise((resolve) => setImmediate(resolve));
    order.push(uploadId);
  });
  flusher.noteWritten('a', NO_DESCRIPTOR, MIB);
  await flusher.finish(NO_DESCRIPTOR);
  order.push('finished');
  // There is nothing left.
  await flusher.finish(NO_DESCRIPTOR);
  assert.deepEqual(order, ['a', 'finished']);
  assert.equal(flusher.whenWritable(), undefined);
});

test('flusher: remaining bytes are flushed after a pause', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const flushed: string[] = [];
  // Only a failed flush is visible to the test.
  const flusher = new Flusher((uploadId) => void flushed.push(uploadId));
  flusher.noteWritten('small', NO_DESCRIPTOR, MIB);
  t.mock.timers.tick(199);
  flusher.noteWritten('small', NO_DESCRIPTOR, MIB);
  t.mock.timers.tick(199);
  await flusher.forget(0);
  assert.deepEqual(flushed, []);
  t.mock.timers.tick(1);
  while (flushed.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(flushed, ['small']);
});

// Invariant 2
test('flusher: finish says that all is flushed only when something was written, and its last flush succeeded', async (t) => {
  const flusher = makeFlusher();
  const [fd] = openFiles(t, flusher, 1) as [number];
  assert.equal(await flusher.finish(fd), false);
  flusher.noteWritten('a', fd, MIB);
  assert.equal(await flusher.finish(fd), true);
  // More than the window: it is flushed before.
  flusher.noteWritten('a', fd, 128 * MIB);
  assert.equal(await flusher.finish(fd), true);
  const failing = new Flusher(() => {});
  failing.noteWritten('b', NO_DESCRIPTOR, MIB);
  assert.equal(await failing.finish(NO_DESCRIPTOR), false);
  failing.noteWritten('b', NO_DESCRIPTOR, 128 * MIB);
  assert.equal(await failing.finish(NO_DESCRIPTOR), false);
});
