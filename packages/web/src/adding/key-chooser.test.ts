import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileHandle } from '@cryolift/client/browser';
import { newUpload } from '../uploads/upload.ts';
import { keyOfFile } from '../uploads/upload-key.ts';
import type { UploadState } from '../uploads/upload-states.ts';
import type { FoundFile } from './found-files.ts';
import { KeyChooser } from './key-chooser.ts';

const FILE = new File(['12345'], 'a.mrc', { lastModified: 7 });

function found(path: string | null = null, handle: FileHandle | null = null): FoundFile {
  return { file: FILE, path, handle };
}

/** A handle that is the same entry as every handle with its id. */
function handle(id: number): FileHandle {
  const isSameEntry = async (other: unknown) => (other as { id: number }).id === id;
  return { id, isSameEntry } as unknown as FileHandle;
}

function chooser(...known: { key: string; state: UploadState; handle?: FileHandle }[]): KeyChooser {
  const entries = new Map(
    known.map(({ key, state, handle = null }) => [key, { upload: newUpload(key, state, handle !== null), handle }]),
  );
  return new KeyChooser({ get: (key) => entries.get(key), all: () => [...entries.values()] });
}

test('key chooser: files that are added together get different keys', async () => {
  const keys = chooser();
  assert.deepEqual(
    [await keys.choose(found()), await keys.choose(found()), await keys.choose(found('grid/a.mrc'))],
    [keyOfFile(FILE, null), keyOfFile(FILE, null, 2), keyOfFile(FILE, 'grid/a.mrc')],
  );
});

test('key chooser: a file that is added again continues its stopped upload', async () => {
  const key = keyOfFile(FILE, null);
  for (const state of ['paused', 'failed', 'interrupted', 'refused', 'done'] as const) {
    assert.equal(await chooser({ key, state }).choose(found()), key, state);
  }
});

test('key chooser: a file like that of a running upload gets its own key', async () => {
  const key = keyOfFile(FILE, null);
  for (const state of ['checking', 'queued', 'running', 'cancelling'] as const) {
    assert.equal(await chooser({ key, state }).choose(found()), keyOfFile(FILE, null, 2), state);
  }
});

test('key chooser: handles decide whether it is the same file', async () => {
  const key = keyOfFile(FILE, null);
  const running = { key, state: 'running', handle: handle(1) } as const;
  assert.equal(await chooser(running).choose(found(null, handle(1))), key);
  assert.equal(await chooser(running).choose(found(null, handle(2))), keyOfFile(FILE, null, 2));
  const paused = { key, state: 'paused', handle: handle(1) } as const;
  assert.equal(await chooser(paused).choose(found(null, handle(2))), keyOfFile(FILE, null, 2));
});

test('key chooser: a file from another folder continues an interrupted upload, each upload once', async () => {
  const [first, second] = [keyOfFile(FILE, 'x/a.mrc'), keyOfFile(FILE, 'y/a.mrc')];
  const keys = chooser({ key: first, state: 'interrupted' }, { key: second, state: 'interrupted' });
  assert.equal(await keys.choose(found()), first);
  assert.equal(await keys.choose(found()), second);
  assert.equal(await keys.choose(found()), keyOfFile(FILE, null));
});

test('key chooser: the upload of the same folder is preferred', async () => {
  const [first, second] = [keyOfFile(FILE, 'x/a.mrc'), keyOfFile(FILE, 'y/a.mrc')];
  const keys = chooser({ key: first, state: 'interrupted' }, { key: second, state: 'interrupted' });
  assert.equal(await keys.choose(found('y/a.mrc')), second);
});
