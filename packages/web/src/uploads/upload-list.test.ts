import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Transport, Uploader } from '@cryolift/client';
import { MIB } from '@cryolift/protocol/plan';
import { UploadList } from './upload-list.ts';

/** No request is answered; an aborted one rejects. */
const SILENT: Transport = {
  send: ({ signal }) =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
};

function newList(t: TestContext): UploadList {
  const resumeStore = { load: async () => null, save: async () => {}, forget: async () => {} };
  const uploader = new Uploader({
    server: 'http://here',
    transport: SILENT,
    resumeStore,
    getToken: async () => 'token',
  });
  const subjectKey = randomUUID();
  const list = new UploadList({
    subjectKey,
    uploader,
    resumeStore: { ...resumeStore, all: async () => [], keepHandle: async () => {} },
    server: 'http://here',
    owner: 'ada',
    getLimits: async () => null,
    onDone: () => {},
  });
  t.after(() => list.close());
  return list;
}

/** Files that are not small. Those named `.mrc` have a wrong header. */
function files(...names: string[]) {
  const isMrc = (name: string) => name.endsWith('.mrc');
  const checkOf = (name: string) => ({
    mrc: null,
    refusals: isMrc(name) ? ['Its header is wrong.'] : [],
    canForce: isMrc(name),
    warnings: [],
  });
  const fileOf = (name: string) => new File([new Uint8Array(MIB + 1)], name, { lastModified: 0 });
  return names.map((name) => ({ file: fileOf(name), path: null, handle: null, check: checkOf(name) }));
}

/** Waits until the published list has these states, by name. */
async function waitForStates(list: UploadList, expected: Record<string, string>): Promise<void> {
  const states = () => Object.fromEntries(list.uploads.value.map(({ name, state }) => [name, state]));
  while (JSON.stringify(states()) !== JSON.stringify(expected)) await list.uploads.next();
}

function keyOf(list: UploadList, name: string): string {
  const upload = list.uploads.value.find((each) => each.name === name);
  assert.ok(upload, name);
  return upload.key;
}

test('upload list: four large uploads run at a time, and a paused one makes place for the next', async (t) => {
  const list = newList(t);
  list.open();
  await list.add(files('a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'));
  await waitForStates(list, {
    'a.txt': 'running',
    'b.txt': 'running',
    'c.txt': 'running',
    'd.txt': 'running',
    'e.txt': 'queued',
  });
  list.pause(keyOf(list, 'b.txt'));
  await waitForStates(list, {
    'a.txt': 'running',
    'b.txt': 'paused',
    'c.txt': 'running',
    'd.txt': 'running',
    'e.txt': 'running',
  });
  await list.resume(keyOf(list, 'b.txt'));
  await waitForStates(list, {
    'a.txt': 'running',
    'b.txt': 'queued',
    'c.txt': 'running',
    'd.txt': 'running',
    'e.txt': 'running',
  });
});

test('upload list: uploads wait while their owner is signed out', async (t) => {
  const list = newList(t);
  await list.add(files('a.txt'));
  await waitForStates(list, { 'a.txt': 'queued' });
  list.open();
  await waitForStates(list, { 'a.txt': 'running' });
  list.close();
  await waitForStates(list, { 'a.txt': 'queued' });
  assert.equal(list.unfinishedCount, 1);
  list.open();
  await waitForStates(list, { 'a.txt': 'running' });
});

test('upload list: a refused file is forced or removed', async (t) => {
  const list = newList(t);
  list.open();
  await list.add(files('short.mrc', 'empty.mrc'));
  await waitForStates(list, { 'short.mrc': 'refused', 'empty.mrc': 'refused' });
  assert.equal(list.unfinishedCount, 0);
  list.force(keyOf(list, 'short.mrc'));
  list.remove(keyOf(list, 'empty.mrc'));
  await waitForStates(list, { 'short.mrc': 'running' });
  list.remove(keyOf(list, 'short.mrc'));
  await waitForStates(list, { 'short.mrc': 'running' });
});

test('upload list: a cancelled upload that the server does not know leaves the list', async (t) => {
  const list = newList(t);
  list.open();
  await list.add(files('a.txt', 'b.txt'));
  await waitForStates(list, { 'a.txt': 'running', 'b.txt': 'running' });
  await list.cancel(keyOf(list, 'a.txt'));
  await waitForStates(list, { 'b.txt': 'running' });
});

test('upload list: pausing all uploads starts no queued one, and resuming all continues them', async (t) => {
  const list = newList(t);
  list.open();
  await list.add(files('a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'));
  await waitForStates(list, {
    'a.txt': 'running',
    'b.txt': 'running',
    'c.txt': 'running',
    'd.txt': 'running',
    'e.txt': 'queued',
  });
  const states = new Set<string>();
  list.uploads.watch(() => states.add(list.uploads.value.at(-1)?.state ?? ''));
  list.pauseAll();
  await waitForStates(list, {
    'a.txt': 'paused',
    'b.txt': 'paused',
    'c.txt': 'paused',
    'd.txt': 'paused',
    'e.txt': 'paused',
  });
  assert.deepEqual([...states], ['paused']);
  list.resumeAll();
  await waitForStates(list, {
    'a.txt': 'running',
    'b.txt': 'running',
    'c.txt': 'running',
    'd.txt': 'running',
    'e.txt': 'queued',
  });
});

test('upload list: a file that is added again continues its paused upload', async (t) => {
  const list = newList(t);
  list.open();
  await list.add(files('a.txt'));
  await waitForStates(list, { 'a.txt': 'running' });
  list.pause(keyOf(list, 'a.txt'));
  await waitForStates(list, { 'a.txt': 'paused' });
  await list.add(files('a.txt'));
  await waitForStates(list, { 'a.txt': 'running' });
  assert.equal(list.uploads.value.length, 1);
});

test('upload list: sixteen small uploads run at a time', async (t) => {
  const list = newList(t);
  list.open();
  const small = Array.from({ length: 17 }, (_, index) => {
    const file = new File(['text'], `${index}.txt`, { lastModified: 0 });
    return { file, path: null, handle: null, check: null };
  });
  await list.add(small);
  const counted = () => list.uploads.value.filter(({ state }) => state === 'running').length;
  while (list.uploads.value.length < 17) await list.uploads.next();
  assert.equal(counted(), 16);
});

test('upload list: what the server does not count yet waits, and a file of the list takes nothing of the quota again', async (t) => {
  const list = newList(t);
  const added = files('a.txt', 'b.txt');
  await list.add(added);
  const { waiting, isCounted } = list.counted();
  assert.deepEqual(waiting, { files: 2, bytes: 2 * (MIB + 1) });
  const [other] = files('c.txt');
  assert.ok(added[0] && other);
  assert.deepEqual([isCounted(added[0]), isCounted(other)], [true, false]);
  await list.add(files('refused.mrc'));
  assert.equal(list.counted().waiting.files, 2);
});
