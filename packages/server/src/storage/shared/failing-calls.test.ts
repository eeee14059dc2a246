/** Each call of the file system fails once: the error is one for clients, and the next attempt succeeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { countDescriptors, needsProc } from '../disk/test-descriptors.ts';
import { FailingCalls } from '../disk/test-failing-calls.ts';
import { BytesGone } from '../errors.ts';
import { hasCode, makeBytes, readAll, stage, type UploadUnderTest } from '../test-storage.ts';
import type { SharedStorage } from './shared-storage.ts';
import { makeShared } from './test-shared.ts';

const PART = 64 * 1024;
const BYTES = makeBytes(2 * PART);

/** In this order, on one upload. */
const WORK: Record<string, (storage: SharedStorage, upload: UploadUnderTest) => Promise<unknown>> = {
  'store a part': (_storage, upload) => upload.store(0, BYTES.subarray(0, PART)),
  assemble: (_storage, upload) => upload.assemble(),
  publish: (storage, upload) => storage.uploads.publish(upload.to, upload.place),
  withdraw: (storage, upload) => storage.uploads.withdraw(upload.to, upload.place),
  'publish again': (storage, upload) => storage.uploads.publish(upload.to, upload.place),
  discard: (storage, upload) => storage.uploads.discard(upload.to),
};

test('shared folder: a failing call is a storage error, and the same work succeeds afterwards', async (t) => {
  const failing = new FailingCalls();
  const { storage, root } = await makeShared(t, undefined, failing.calls);
  const made = new Set<string>();
  for (const code of ['EIO', 'ESTALE', 'ENOSPC']) {
    const upload = await stage(storage, `upload-${code}`, BYTES.length, PART);
    await upload.store(1, BYTES.subarray(PART));
    for (const [name, work] of Object.entries(WORK)) {
      for (let at = 0; ; at++) {
        failing.arm(at, code);
        const outcome = await work(storage, upload).then(
          () => null,
          (error: unknown) => error,
        );
        const call = failing.made[at];
        failing.arm(null);
        if (call === undefined) break;
        made.add(call);
        if (outcome === null) continue;
        assert.ok(outcome instanceof UploadError, `${name}, ${call}: ${outcome}`);
        assert.ok(!(outcome instanceof BytesGone), `${name}, ${call}: ${code} does not say that bytes are lost`);
      }
      if (name === 'publish again') {
        assert.ok((await readAll(storage, upload.place)).equals(BYTES));
        await storage.uploads.withdraw(upload.to, upload.place);
      }
    }
  }
  const expected = [
    'open',
    'examine',
    'sync',
    'close',
    'sizeOf',
    'makeFolder',
    'rename',
    'setMode',
    'removeEmptyFolder',
  ];
  for (const call of [...expected, 'remove']) assert.ok(made.has(call), `${call} was made to fail`);
  await t.test('no descriptor is left open', needsProc, () => assert.equal(countDescriptors(root), 0));
});

test('shared folder: a part that could not be flushed is not acknowledged', async (t) => {
  const failing = new FailingCalls();
  const { storage } = await makeShared(t, undefined, failing.calls);
  const upload = await stage(storage, 'unflushed', BYTES.length, PART);
  failing.arm(null);
  await upload.store(0, BYTES.subarray(0, PART));
  const calls = [...failing.made];
  assert.deepEqual(calls, ['open', 'examine', 'sync', 'close']);
  for (const [at, call] of calls.entries()) {
    failing.arm(at, 'EIO');
    await assert.rejects(upload.store(1, BYTES.subarray(PART)), hasCode('storage_unavailable'), call);
  }
  failing.arm(null);
  await upload.store(1, BYTES.subarray(PART));
  assert.deepEqual(await upload.findLost(), []);
});
