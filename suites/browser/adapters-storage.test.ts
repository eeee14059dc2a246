/** The SDK's adapters for browsers in a real browser: the resume store, and file handles as sources. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { startBlankPages, visit } from './blank-page.ts';

const pages = await startBlankPages();
const page = await pages.open();
after(() => pages.discard());
beforeEach(() => visit(page, pages.origin));

test('resume store: keeps uploads over a reload by server, owner and location', async () => {
  await page.evaluate(async () => {
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const record = { sizeBytes: 1, modifiedMs: 2.5, identity: null, fingerprint: 'f', openedWith: 'f' };
    const save = (server: string, owner: string, location: string, uploadId: string) =>
      resumeStore.save({ ...record, server, owner, location, uploadId });
    await save('http://a', 'ada', 'x.mrc', 'u1');
    await save('http://a', 'ada', 'x.mrc', 'u2');
    await save('http://a', 'ada', 'y.mrc', 'u3');
    await save('http://ab', 'ada', 'x.mrc', 'u4');
    await save('http://a', 'bob', 'x.mrc', 'u5');
    await resumeStore.forget({ server: 'http://a', owner: 'ada', location: 'y.mrc' });
  });
  await visit(page, pages.origin);
  const found = await page.evaluate(async () => {
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const key = { server: 'http://a', owner: 'ada' };
    return [
      await resumeStore.load({ ...key, location: 'x.mrc' }),
      await resumeStore.load({ ...key, location: 'y.mrc' }),
      await resumeStore.all('http://a', 'ada'),
    ];
  });
  const record = { sizeBytes: 1, modifiedMs: 2.5, identity: null, fingerprint: 'f', openedWith: 'f' };
  const kept = { ...record, server: 'http://a', owner: 'ada', location: 'x.mrc', uploadId: 'u2' };
  assert.deepEqual(found, [kept, null, [{ ...kept, handle: null }]]);
});

test('resume store: without storage nothing is kept, and nothing fails', async () => {
  const found = await page.evaluate(async () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const key = { server: 'http://a', owner: 'ada', location: 'x.mrc' };
    const record = { sizeBytes: 1, modifiedMs: 2, identity: null, fingerprint: 'f', openedWith: 'f', uploadId: 'u' };
    await resumeStore.save({ ...key, ...record });
    await resumeStore.forget(key);
    return [await resumeStore.load(key), await resumeStore.all(key.server, key.owner)];
  });
  assert.deepEqual(found, [null, []]);
});

test('resume store: a handle is kept until its upload is forgotten', async () => {
  // A substitute: the headless browser crashes when it reads a real handle from a database.
  await page.evaluate(async () => {
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const key = { server: 'http://a', owner: 'ada', location: 'in/z.mrc' };
    await resumeStore.keepHandle(key, { kind: 'file' } as never);
    const record = { sizeBytes: 10, modifiedMs: 2, identity: null, fingerprint: 'f', openedWith: 'f', uploadId: 'u' };
    await resumeStore.save({ ...key, ...record });
  });
  await visit(page, pages.origin);
  const kept = await page.evaluate(async () => {
    const resumeStore = new globalThis.sdk.IndexedDbResumeStore();
    const find = async () => (await resumeStore.all('http://a', 'ada')).find(({ location }) => location === 'in/z.mrc');
    const before = await find();
    if (!before) throw new Error('nothing is stored');
    await resumeStore.forget({ server: 'http://a', owner: 'ada', location: 'in/z.mrc' });
    await resumeStore.save(before);
    return [before.handle, (await find())?.handle];
  });
  assert.deepEqual(kept, [{ kind: 'file' }, null]);
});

test('source: a handle opens its file, and detects that it was written to', async () => {
  const stored = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('x.mrc', { create: true });
    const write = async (text: string) => {
      const writable = await handle.createWritable();
      await writable.write(text);
      await writable.close();
    };
    await write('0123456789');
    const source = await globalThis.sdk.BlobSource.fromHandle({ getFile: () => handle.getFile() }, 'in/x.mrc');
    const into = new Uint8Array(4);
    const digest = await source.read(3, into);
    const before = await source.stat();
    await write('changed');
    const failure = await source.read(0, into).catch(({ code }) => code);
    const { sizeBytes } = await source.stat();
    await root.removeEntry('x.mrc');
    const gone = await source.stat().catch(({ code }) => code);
    return {
      facts: [source.name, source.location, source.sizeBytes],
      bytes: String.fromCharCode(...into),
      digest: [...digest],
      same: before.sizeBytes === 10 && before.modifiedMs === source.modifiedMs,
      failure,
      sizeBytes,
      gone,
    };
  });
  assert.deepEqual(stored, {
    facts: ['x.mrc', 'in/x.mrc', 10],
    bytes: '3456',
    digest: [...createHash('sha256').update('3456').digest()],
    same: true,
    failure: 'source_changed',
    sizeBytes: 7,
    gone: 'source_unreadable',
  });
});

test('source: a file is identified by its path in the chosen folder, else by its name', async () => {
  const locations = await page.evaluate(() => {
    const { BlobSource } = globalThis.sdk;
    const alone = new File(['x'], 'x.mrc');
    const inFolder = Object.defineProperty(new File(['x'], 'x.mrc'), 'webkitRelativePath', { value: 'grid/x.mrc' });
    const dropped = new BlobSource(alone, { location: 'grid2/x.mrc' });
    return [new BlobSource(alone), new BlobSource(inFolder), dropped].map(({ name, location }) => [name, location]);
  });
  assert.deepEqual(locations, [
    ['x.mrc', 'x.mrc'],
    ['x.mrc', 'grid/x.mrc'],
    ['x.mrc', 'grid2/x.mrc'],
  ]);
});
