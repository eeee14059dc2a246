import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BytesGone } from '../errors.ts';
import { describeStorage } from '../test-contract.ts';
import { describeCompression } from '../test-contract-compression.ts';
import {
  feed,
  hasCode,
  MIB,
  makeBytes,
  openSink,
  placeOf,
  readAll,
  sha256Of,
  storePart,
  upload,
} from '../test-storage.ts';
import type { PartSink } from '../upload-storage.ts';
import { DiskStorage } from './disk-storage.ts';
import { countDescriptors } from './test-descriptors.ts';
import { makeStore } from './test-store.ts';
import { Digester } from './threads/digester.ts';
import { Writers } from './threads/writers.ts';

/** What is stored from the first byte of an upload on. */
async function assertStored(storage: DiskStorage, id: string, sizeBytes: number, sha256: Uint8Array): Promise<void> {
  const parts = [{ idx: 0, sha256, receipt: null }];
  assert.deepEqual(await storage.uploads.findLost(upload(id, sizeBytes), parts), []);
}

/** The digest worker has handled every message before this one. */
async function awaitDigester(storage: DiskStorage): Promise<void> {
  const parts = [{ idx: 0, sha256: sha256Of(Buffer.alloc(1)), receipt: null }];
  assert.deepEqual(await storage.uploads.findLost(upload('nobody', 1), parts), [0]);
}

describeStorage('disk', makeStore);
describeCompression('disk', makeStore);

const onLinux = { skip: process.platform !== 'linux' && 'needs /proc' };
/** For what hangs when it is broken. */
const bounded = { timeout: 110_000 };
const asRoot = { skip: process.getuid?.() !== 0 && 'needs root' };

// Invariant 3
test('disk storage: publishing is a rename: same inode, read-only, under its name', async (t) => {
  const { storage, root } = await makeStore(t);
  const to = upload('inode', 1000);
  await storePart(storage, to, 0, makeBytes(1000));
  const before = await stat(join(root, 'staging', 'inode'));
  const file = placeOf(to);
  await storage.uploads.publish(to, file);
  const after = await stat(join(root, 'files', file.fileId, file.filename));
  assert.equal(after.ino, before.ino);
  assert.equal(after.mode & 0o777, 0o400);
  assert.equal(fileURLToPath(storage.files.locate(file)), join(root, 'files', file.fileId, file.filename));
});

test('disk storage: a staging file uses no space before its bytes arrive', async (t) => {
  const { storage, root } = await makeStore(t);
  await storage.uploads.create(upload('sparse', 64 * 1024 * MIB));
  const { size, blocks } = await stat(join(root, 'staging', 'sparse'));
  assert.equal(size, 64 * 1024 * MIB);
  assert.ok(blocks < 100);
});

test('disk storage: published and discarded uploads leave no open descriptor', onLinux, async (t) => {
  const { storage, root } = await makeStore(t);
  for (let run = 0; run < 3; run++) {
    const kept = upload(`kept-${run}`, 2 * MIB);
    await storePart(storage, kept, 0, makeBytes(2 * MIB));
    storage.prefixes?.follow(kept, 2 * MIB);
    await storage.uploads.digest(kept, placeOf(kept));
    await storage.uploads.publish(kept, placeOf(kept));

    const dropped = upload(`dropped-${run}`, 2 * MIB);
    const sink = await openSink(storage, dropped, 0, 2 * MIB);
    await feed(sink, makeBytes(MIB));
    await sink.abort();
    storage.prefixes?.follow(dropped, MIB);
    await storage.uploads.discard(dropped);
  }
  await awaitDigester(storage);
  assert.equal(countDescriptors(root), 0);
});

test('disk storage: idle uploads have no open descriptor for their digest', onLinux, async (t) => {
  const { storage, root } = await makeStore(t);
  for (let run = 0; run < 20; run++) {
    const to = upload(`idle-${run}`, 20);
    await storage.uploads.create(to);
    storage.prefixes?.follow(to, 10);
  }
  await awaitDigester(storage);
  assert.ok(countDescriptors(root) < 20, `${countDescriptors(root)} descriptors are open`);
});

test('disk storage: a publish that was interrupted at any step is finished by the next', asRoot, async (t) => {
  const { storage, root } = await makeStore(t);
  // The threads read their sources, which the other user may not.
  for (const id of ['first', 'second']) {
    await storePart(storage, upload(id, 1), 0, makeBytes(1));
    await storage.uploads.publish(upload(id, 1), placeOf({ id, sizeBytes: 1 }));
    await readAll(storage, placeOf({ id, sizeBytes: 1 }));
  }
  for (const folder of ['', 'staging', 'files']) await chown(join(root, folder), 65_534, 65_534);
  // Root may write what is read-only; servers do not run as root.
  process.setegid?.(65_534);
  process.seteuid?.(65_534);
  try {
    const to = upload('cut-off', 10);
    await storePart(storage, to, 0, makeBytes(10));
    // Cut off after the file was made read-only, before it was renamed.
    await chmod(join(root, 'staging', 'cut-off'), 0o444);
    await storage.uploads.publish(to, placeOf(to));
    assert.ok((await readAll(storage, placeOf(to))).equals(makeBytes(10)));
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
});

test('disk storage: a publish that was interrupted after its rename needs the right length', async (t) => {
  const { storage, root } = await makeStore(t);
  const to = upload('renamed', 10);
  const file = placeOf(to);
  await storePart(storage, to, 0, makeBytes(10));
  await storage.uploads.publish(to, file);
  const path = join(root, 'files', file.fileId, file.filename);
  await chmod(path, 0o600);
  await truncate(path, 9);
  await assert.rejects(storage.uploads.publish(to, file), hasCode('storage_unavailable'));
});

test('disk storage: staged bytes are read from the staging area, published ones from the file', async (t) => {
  const { storage, root } = await makeStore(t);
  const to = upload('moved', 10);
  const file = placeOf(to);
  await storePart(storage, to, 0, makeBytes(10));
  await storage.uploads.publish(to, file);
  await rename(join(root, 'files', file.fileId), join(root, 'elsewhere'));
  await assert.rejects(storage.uploads.digest(to, file), hasCode('storage_unavailable'));
  assert.equal(await storage.files.read(file, { start: 0, end: 9 }), null);
});

// Invariant 9
test('disk storage: more slow writers than slots make progress in turns', bounded, async (t) => {
  const { storage } = await makeStore(t, { slots: 2 });
  const bytes = makeBytes(30);
  const to = upload('slow', 12 * bytes.length);
  const sinks: PartSink[] = [];
  for (let at = 0; at < 12; at++) sinks.push(await openSink(storage, to, at * bytes.length, bytes.length));
  // A round of one byte each, in which everybody must have had a turn before the next begins.
  for (const byte of bytes) {
    await Promise.all(sinks.map(async (sink) => await sink.write(Buffer.of(byte))));
  }
  for (const sink of sinks) assert.deepEqual((await sink.commit()).sha256, sha256Of(bytes));
  const whole = Buffer.concat(Array.from({ length: 12 }, () => bytes));
  await assertStored(storage, 'slow', whole.length, sha256Of(whole));
});

test('disk storage: more sinks than slots, some of them aborted, release every slot', bounded, async (t) => {
  const { storage } = await makeStore(t, { slots: 2 });
  for (let run = 0; run < 3; run++) {
    const to = upload(`many-${run}`, 10 * 2 * MIB);
    await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        const bytes = makeBytes(2 * MIB, at + 1);
        const sink = await openSink(storage, to, at * 2 * MIB, bytes.length);
        if (at % 3 > 0) {
          await feed(sink, bytes, 300_000);
          return assert.deepEqual((await sink.commit()).sha256, sha256Of(bytes));
        }
        const ready = sink.write(bytes)?.catch(() => {});
        await sink.abort();
        await ready;
      }),
    );
    await storage.uploads.discard(to);
  }
});

test('disk storage: a full disk is reported, loses no stored bytes, and leaks no slot', {
  ...asRoot,
  ...bounded,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'cryolift-test', folder]);
  let storage: DiskStorage | undefined;
  t.after(async () => {
    await storage?.close();
    execFileSync('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  });
  storage = await DiskStorage.open(folder, new Writers(2, 2), new Digester(), (id) => assert.fail(`lost ${id}`));
  const to = upload('full', 64 * MIB);
  const bytes = makeBytes(2 * MIB);
  const stored = await storePart(storage, to, 0, bytes);
  assert.ok((await storage.space.read()).freeBytes <= 6 * MIB);
  for (let run = 0; run < 6; run++) {
    const sink = await openSink(storage, to, 16 * MIB, 16 * MIB);
    await assert.rejects(
      feed(sink, makeBytes(16 * MIB), MIB).then(() => sink.commit()),
      hasCode('insufficient_storage'),
    );
    assert.throws(() => sink.write(bytes), hasCode('insufficient_storage'));
    await assert.rejects(sink.commit(), hasCode('insufficient_storage'));
    await sink.abort();
  }
  await assertStored(storage, 'full', bytes.length, stored);
  // Both slots are there: a sink that needs them gets them.
  const hash = storage.openHash();
  await feed(hash, makeBytes(8 * MIB), MIB);
  assert.deepEqual((await hash.commit()).sha256, sha256Of(makeBytes(8 * MIB)));
  await storage.uploads.discard(to);
  assert.deepEqual(
    await storePart(storage, upload('next', 4 * MIB), 0, makeBytes(4 * MIB)),
    sha256Of(makeBytes(4 * MIB)),
  );
});

test('disk storage: a staging file that was replaced after its digest is not published, also after a restart', async (t) => {
  const { storage, root } = await makeStore(t);
  const bytes = makeBytes(1000);
  for (const id of ['written-here', 'written-before']) {
    const to = upload(id, bytes.length);
    const path = join(root, 'staging', id);
    if (id === 'written-here') await storePart(storage, to, 0, bytes);
    else await writeFile(path, bytes);
    assert.deepEqual((await storage.uploads.digest(to, placeOf(to))).sha256, sha256Of(bytes));
    await writeFile(`${path}.new`, makeBytes(1000, 2));
    await rename(`${path}.new`, path);
    await assert.rejects(storage.uploads.publish(to, placeOf(to)), BytesGone);
    assert.deepEqual(await storage.files.list(), []);
  }
});

test('disk storage: a staged file contains the written bytes', async (t) => {
  const { storage, root } = await makeStore(t);
  const to = upload('plain', 3 * MIB + 1);
  const bytes = makeBytes(to.sizeBytes);
  await storePart(storage, to, MIB, bytes.subarray(MIB));
  await storePart(storage, to, 0, bytes.subarray(0, MIB));
  assert.ok((await readFile(join(root, 'staging', 'plain'))).equals(bytes));
});

test('disk storage: an upload that is discarded during its digest frees its space at once', onLinux, async (t) => {
  const { storage, root } = await makeStore(t);
  for (let run = 0; run < 5; run++) {
    const huge = upload(`huge-${run}`, 64 * 1024 * MIB);
    await storage.uploads.create(huge);
    storage.prefixes?.follow(huge, huge.sizeBytes);
    while (countDescriptors(root) === 0) await new Promise((resolve) => setImmediate(resolve));
    await storage.uploads.discard(huge);
    assert.equal(countDescriptors(root), 0);
  }
});

test('disk storage: a sender waits for a digest that is behind, for a limited time', bounded, async (t) => {
  const { storage } = await makeStore(t);
  const bytes = makeBytes(32 * MIB);
  const to = upload('behind', 2 * bytes.length);
  await storePart(storage, to, 0, bytes);
  storage.prefixes?.follow(to, bytes.length);
  assert.ok(storage.prefixes?.lagBytes() > MIB);
  // Each call waits for a moment only; on a busy machine the digest needs more than one.
  while (storage.prefixes?.lagBytes() > MIB) await storage.prefixes?.catchUp(to.id, MIB);
  const huge = upload('huge', 64 * 1024 * MIB);
  await storage.uploads.create(huge);
  storage.prefixes?.follow(huge, huge.sizeBytes);
  await storage.prefixes?.catchUp(huge.id, MIB);
  assert.ok(storage.prefixes?.lagBytes() > MIB);
  storage.prefixes?.forget(huge.id);
  await storage.prefixes?.catchUp('unknown', 0);
});

test('disk storage: a close during a flush is no loss', bounded, async (t) => {
  const lost: string[] = [];
  const { storage } = await makeStore(t, { onLost: (id) => lost.push(id) });
  const bytes = makeBytes(24 * MIB);
  const to = upload('closing', 5 * bytes.length);
  await storage.uploads.create(to);
  await Promise.all([0, 1, 2, 3, 4].map((at) => storePart(storage, to, at * bytes.length, bytes)));
  await storage.close();
  // Until a flush that was under way, and one that would follow it, have ended.
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual(lost, []);
});
