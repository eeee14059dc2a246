import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FolderFlushes } from './folder-flushes.ts';

/** Flushes that the test ends. */
function makeFlushes() {
  const begun: { path: string; end: PromiseWithResolvers<void> }[] = [];
  const flushes = new FolderFlushes((path) => {
    const end = Promise.withResolvers<void>();
    begun.push({ path, end });
    return end.promise;
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { begun, flushes, settle };
}

test('folder flushes: callers that come before a flush begins share it', async () => {
  const { begun, flushes, settle } = makeFlushes();
  const callers = [flushes.flush('a'), flushes.flush('a'), flushes.flush('b')];
  await settle();
  assert.deepEqual(
    begun.map(({ path }) => path),
    ['a', 'b'],
  );
  for (const { end } of begun) end.resolve();
  await Promise.all(callers);
});

// Invariant 2
test('folder flushes: a flush that had begun before a call does not count for it', async () => {
  const { begun, flushes, settle } = makeFlushes();
  const first = flushes.flush('a');
  await settle();
  let isLateDone = false;
  const late = [flushes.flush('a'), flushes.flush('a')].map((flush) =>
    flush.then(() => {
      isLateDone = true;
    }),
  );
  begun[0]?.end.resolve();
  await first;
  await settle();
  assert.equal(isLateDone, false);
  assert.equal(begun.length, 2);
  begun[1]?.end.resolve();
  await Promise.all(late);
});

test('folder flushes: a flush that fails fails for its callers alone', async () => {
  const { begun, flushes, settle } = makeFlushes();
  const first = flushes.flush('a');
  const failed = assert.rejects(first, /broken/);
  await settle();
  const second = flushes.flush('a');
  begun[0]?.end.reject(new Error('broken'));
  await failed;
  await settle();
  begun[1]?.end.resolve();
  await second;
});
