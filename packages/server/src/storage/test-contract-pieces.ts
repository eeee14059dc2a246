/** What every storage must do, as tests that run on each of them: pieces. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TestOptions, test } from 'node:test';
import { BytesGone } from './errors.ts';
import type { StoredPiece } from './pieces.ts';
import type { StagedUpload } from './places.ts';
import type { Storage } from './storage.ts';
import { feed, type MakeStorage, MIB, makeBytes, sha256Of, stage } from './test-storage.ts';

export function describePieces(name: string, make: MakeStorage, options: TestOptions = {}): void {
  test(`${name}: pieces are read as they were written, whatever their borders`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(3 * MIB + 7);
    const { to } = await stage(storage, 'pieces', bytes.length);
    const pieces: StoredPiece[] = [];
    const borders = [0, 1, 1000, MIB - 1, MIB, 2 * MIB + 3, bytes.length];
    for (const [at, offset] of borders.slice(0, -1).entries()) {
      pieces.push(await storePiece(storage, to, bytes, offset, borders[at + 1] as number));
    }
    for (const piece of pieces) {
      const { offset, length, sha256 } = piece;
      const expected = bytes.subarray(offset, offset + length);
      assert.deepEqual(sha256, sha256Of(expected));
      assert.deepEqual(await storage.pieces.hash(to, piece), sha256);
      assert.ok((await buffer(Readable.from(storage.pieces.read(to, piece)))).equals(expected));
    }
  });

  test(`${name}: a piece may end earlier than it was announced`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(MIB);
    const { to } = await stage(storage, 'short', bytes.length);
    const sink = await storage.pieces.open(to, { offset: 10, length: MIB - 10 });
    assert.ok(sink !== 'lost');
    await feed(sink, bytes.subarray(10, 500), 100);
    const { sha256, receipt } = await sink.commit();
    assert.deepEqual(sha256, sha256Of(bytes.subarray(10, 500)));
    assert.deepEqual(await storage.pieces.hash(to, { offset: 10, length: 490, receipt }), sha256);
  });

  test(`${name}: a place gets another length, and keeps its bytes`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(5000);
    const { to } = await stage(storage, 'grows', 2000);
    const first = await storePiece(storage, to, bytes, 0, 2000);
    const longer = { ...to, sizeBytes: 5000, empty: false };
    await storage.pieces.resize(longer);
    await storage.pieces.resize(longer);
    const second = await storePiece(storage, longer, bytes, 2000, 4000);
    const shorter = { ...longer, sizeBytes: 4000 };
    await storage.pieces.resize(shorter);
    for (const piece of [first, second]) {
      assert.deepEqual(await storage.pieces.hash(shorter, piece), piece.sha256);
    }
  });

  test(`${name}: pieces of an upload that has ended are gone`, options, async (t) => {
    const { storage } = await make(t);
    const bytes = makeBytes(2000);
    const { to } = await stage(storage, 'ended', bytes.length);
    const piece = await storePiece(storage, to, bytes, 0, 2000);
    const listed = await storage.pieces.list();
    assert.deepEqual(listed, storage.pieces.maxBytes === null ? [] : ['ended']);
    await storage.pieces.discard('ended');
    await storage.pieces.discard('ended');
    await storage.uploads.discard(to);
    assert.deepEqual(await storage.pieces.list(), []);
    await assert.rejects(storage.pieces.hash(to, piece), BytesGone);
  });
}

async function storePiece(
  storage: Storage,
  to: StagedUpload,
  bytes: Buffer,
  offset: number,
  end: number,
): Promise<StoredPiece> {
  const length = end - offset;
  const sink = await storage.pieces.open({ ...to, empty: false }, { offset, length });
  assert.ok(sink !== 'lost');
  await feed(sink, bytes.subarray(offset, end), 300_000);
  return { offset, length, ...(await sink.commit()) };
}
