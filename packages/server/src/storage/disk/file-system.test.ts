/** A disk that fails at any single call: the error is correct for clients, and the next attempt succeeds. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { UploadError } from '@cryolift/protocol/errors';
import type { CompressedBytes } from '../file-compressor.ts';
import type { FilePlace, StagedUpload } from '../places.ts';
import { feed, makeBytes, openSink, placeOf, readAll, storePart, upload } from '../test-storage.ts';
import { DiskStorage } from './disk-storage.ts';
import { SYSTEM_CALLS } from './file-system.ts';
import { countDescriptors, needsProc } from './test-descriptors.ts';
import { type CallName, FailingCalls, type MadeToFail } from './test-failing-calls.ts';
import { Digester } from './threads/digester.ts';
import { Writers } from './threads/writers.ts';

interface Subject {
  storage: DiskStorage;
  to: StagedUpload;
  file: FilePlace;
}

const BYTES = makeBytes(100_000);
const SHA256 = createHash('sha256').update(BYTES).digest();

/** Bytes that can be compressed. */
const EVEN = Buffer.alloc(100_000, 'even ');
const EVEN_SHA256 = createHash('sha256').update(EVEN).digest();

const copyOf = ({ id }: StagedUpload) => upload(`${id}-copy`, BYTES.length);

async function publish({ storage, to, file }: Subject): Promise<void> {
  await storePart(storage, to, 0, BYTES);
  await storage.uploads.publish(to, file);
}

async function publishEven({ storage, to, file }: Subject): Promise<void> {
  await storePart(storage, to, 0, EVEN);
  await storage.uploads.publish(to, file);
}

async function compress({ storage, file }: Pick<Subject, 'storage' | 'file'>): Promise<CompressedBytes> {
  const done = await storage.compressor.compress(file, EVEN_SHA256, new AbortController().signal);
  assert.ok(done);
  return done;
}

/** The same for every subject. */
let stored: CompressedBytes;

async function publishCompressed(subject: Subject): Promise<void> {
  await publishEven(subject);
  stored = await compress(subject);
}

/** All operations of the storage with files: the preparation, and the work. */
const WORK: Record<
  string,
  { first?: (subject: Subject) => Promise<unknown>; run: (subject: Subject) => Promise<unknown> }
> = {
  create: { run: ({ storage, to }) => storage.uploads.create(to) },
  'write a part': { run: ({ storage, to }) => storePart(storage, to, 0, BYTES) },
  'write a part of an open file': {
    first: ({ storage, to }) => storePart(storage, to, 0, BYTES),
    run: ({ storage, to }) => storePart(storage, to, 0, BYTES),
  },
  publish: {
    first: ({ storage, to }) => storePart(storage, to, 0, BYTES),
    run: ({ storage, to, file }) => storage.uploads.publish(to, file),
  },
  'publish a copy': {
    first: publish,
    run: ({ storage, to, file }) => storage.uploads.publishCopy(copyOf(to), file, placeOf(copyOf(to)), SHA256),
  },
  'compress a file': { first: publishEven, run: compress },
  'remove the original of a compressed file': {
    first: publishCompressed,
    run: ({ storage, file }) => storage.compressor.removeOriginal(file, stored),
  },
  'read a compressed file': {
    first: async (subject) => {
      await publishCompressed(subject);
      await subject.storage.compressor.removeOriginal(subject.file, stored);
    },
    run: async ({ storage, file }) => assert.ok((await readAll(storage, file)).equals(EVEN)),
  },
  'withdraw a file': { first: publish, run: ({ storage, to, file }) => storage.uploads.withdraw(to, file) },
  'publish again': { first: publish, run: ({ storage, to, file }) => storage.uploads.publish(to, file) },
  discard: {
    first: ({ storage, to }) => storePart(storage, to, 0, BYTES),
    run: ({ storage, to }) => storage.uploads.discard(to),
  },
  'list staged': { run: ({ storage }) => storage.uploads.list() },
  'read a file': {
    first: publish,
    run: async ({ storage, file }) => assert.ok((await readAll(storage, file)).equals(BYTES)),
  },
  'size of a file': {
    first: publish,
    run: async ({ storage, file }) => assert.equal(await storage.files.stat(file), BYTES.length),
  },
  'list files': { run: ({ storage }) => storage.files.list() },
  'list previews': { run: ({ storage }) => storage.previews.list() },
  'keep a preview': { first: publish, run: ({ storage, file }) => storage.previews.keep(file.fileId, 'p', BYTES) },
  'read a preview': {
    first: ({ storage, file }) => storage.previews.keep(file.fileId, 'p', BYTES),
    run: async ({ storage, file }) => assert.ok(await storage.previews.read(file.fileId, 'p')),
  },
  'remove a file': { first: publish, run: ({ storage, file }) => storage.files.remove(file.fileId) },
  space: { run: ({ storage }) => storage.space.read() },
};

/** Failures of these calls do not fail the work. */
const HARMLESS: Record<string, readonly CallName[]> = {
  'read a file': ['close'],
  publish: ['close'],
  // The bytes are copied.
  'publish a copy': ['link'],
  discard: ['close'],
  // It is renamed instead, or its second name is removed once more; what was read is closed.
  'compress a file': ['close', 'link', 'remove'],
  'remove the original of a compressed file': ['close'],
  'read a compressed file': ['close'],
};

const CODES = { EIO: 'storage_unavailable', ENOSPC: 'insufficient_storage', EACCES: 'storage_unavailable' };

const root = await mkdtemp(join(tmpdir(), 'cryolift-failing-'));
const failing = new FailingCalls();
const lost: string[] = [];
const storage = await DiskStorage.open(root, new Writers(2, 4), new Digester(), (id) => lost.push(id), failing.calls);
after(async () => {
  failing.arm(null);
  await storage.close();
  await rm(root, { recursive: true, force: true });
});
const failed = new Set<CallName>();
let lastSubject = 0;

function newSubject(): Subject {
  const to = upload(`subject-${++lastSubject}`, BYTES.length);
  return { storage, to, file: placeOf(to) };
}

/** @returns the calls that the work makes when none fails. */
async function record({ first, run }: (typeof WORK)[string]): Promise<CallName[]> {
  const subject = newSubject();
  failing.arm(null);
  await first?.(subject);
  failing.arm(null);
  await run(subject);
  const { made } = failing;
  await forget(subject);
  return made;
}

async function forget({ to, file }: Subject): Promise<void> {
  failing.arm(null);
  await storage.uploads.discard(to);
  await storage.files.remove(file.fileId);
  await storage.files.remove(placeOf(copyOf(to)).fileId);
}

for (const [name, work] of Object.entries(WORK)) {
  test(`file system: a failing call in "${name}" is a storage error, and the same work succeeds afterwards`, async (t) => {
    const calls = await record(work);
    assert.ok(calls.length > 0);
    for (const [at, call] of calls.entries()) {
      for (const [code, expected] of Object.entries(CODES)) {
        const subject = newSubject();
        failing.arm(null);
        await work.first?.(subject);
        failing.arm(at, code);
        const outcome = await work.run(subject).then(
          () => null,
          (error: UploadError) => error,
        );
        assert.ok(failing.made.length > at, `${call} was not made again`);
        const what = `${call} (call ${at}) with ${code}: ${outcome}`;
        if (outcome === null) assert.ok(HARMLESS[name]?.includes(call), `was taken for success: ${what}`);
        else {
          const cause = outcome.cause as MadeToFail;
          assert.equal(outcome.code, cause.onlyReads ? 'storage_unavailable' : expected, what);
          assert.equal(cause.code, code, what);
        }
        failed.add(call);
        failing.arm(null);
        if (lost.includes(subject.to.id)) {
          // The disk did not keep the bytes: they come again.
          await storage.uploads.discard(subject.to);
          await work.first?.(subject);
        }
        await work.run(subject);
        await forget(subject);
      }
    }
    await t.test('no descriptor is left open', needsProc, async () => {
      // Descriptors that could not be used are closed a moment later.
      for (let turn = 0; turn < 1000 && countDescriptors(root) > 0; turn++) await delay(10);
      assert.equal(countDescriptors(root), 0);
    });
  });
}

test('file system: every call was made to fail', () => {
  assert.deepEqual(
    (Object.keys(SYSTEM_CALLS) as CallName[]).filter((name) => !failed.has(name)),
    [],
  );
});

test('file system: opening the storage on a failing disk is refused with its code', async () => {
  for (let at = 0; at < 5; at++) {
    const calls = new FailingCalls();
    calls.arm(at, 'EROFS');
    const [writers, digester] = [new Writers(2, 2), new Digester()];
    await assert.rejects(
      DiskStorage.open(root, writers, digester, () => {}, calls.calls),
      ({ cause }: Error) => (cause as NodeJS.ErrnoException).code === 'EROFS',
    );
    await Promise.all([writers.close(), digester.close()]);
  }
});

test('file system: missing and unreadable files are different errors', async () => {
  const subject = newSubject();
  failing.arm(null);
  await publish(subject);
  failing.arm(0, 'ENOENT');
  assert.equal(await storage.files.stat(subject.file), null);
  for (const code of ['ENOTDIR', 'ENODATA', 'ELOOP', 'EACCES', 'EIO']) {
    failing.arm(0, code);
    await assert.rejects(storage.files.stat(subject.file), code);
  }
  failing.arm(0, 'EIO');
  await assert.rejects(storage.previews.read(subject.file.fileId, 'p'));
  failing.arm(null);
  await storage.files.remove(subject.file.fileId);
});

test('file system: a part whose descriptor could not be examined releases it', async () => {
  const subject = newSubject();
  failing.arm(null);
  const open = await openSink(storage, subject.to, 0, 10);
  failing.arm(0, 'EIO');
  await assert.rejects(storage.uploads.openSink(subject.to, { offset: 10, length: 10 }));
  failing.arm(null);
  await feed(open, BYTES.subarray(0, 10));
  await open.commit();
  await storePart(storage, subject.to, 10, BYTES.subarray(0, 10));
  await storage.uploads.discard(subject.to);
  assert.deepEqual(
    lost.filter((id) => id === subject.to.id),
    [],
  );
});
