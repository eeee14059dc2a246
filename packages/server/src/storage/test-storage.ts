/** Uploads and bytes for the tests of storages. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { UploadError } from '@cryolift/protocol/errors';
import { BytesGone } from './errors.ts';
import type { FilePlace, StagedUpload, StoredPart } from './places.ts';
import type { Storage } from './storage.ts';
import type { CommittedPart, PartSink } from './upload-storage.ts';

export const MIB = 1024 * 1024;

/** A storage to be tested, closed by `make` when the test ends. */
interface StorageUnderTest {
  storage: Storage;
  /** Takes the staged bytes of an upload away behind the storage's back. */
  lose(upload: StagedUpload): Promise<void>;
}

export type MakeStorage = (t: TestContext) => Promise<StorageUnderTest>;

/** @param partSizeBytes one part by default. */
export function upload(id: string, sizeBytes: number, partSizeBytes = Math.max(1, sizeBytes)): StagedUpload {
  return { id, filename: 'µ graph.mrc', ref: null, sizeBytes, partSizeBytes, empty: true };
}

export function placeOf({ id, sizeBytes }: Pick<StagedUpload, 'id' | 'sizeBytes'>, storage?: Storage): FilePlace {
  return { fileId: storage?.uploads.fileIdOf(id) ?? `file-of-${id}`, filename: 'µ graph.mrc', sizeBytes };
}

/** Bytes that differ from place to place, so that one that lies elsewhere shows. */
export function makeBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function sha256Of(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

export function hasCode(code: string) {
  return (error: unknown) => error instanceof UploadError && error.code === code;
}

export async function openSink(
  storage: Storage,
  to: StagedUpload,
  offset: number,
  length: number,
  sha256: Uint8Array | null = null,
): Promise<PartSink> {
  const sink = await storage.uploads.openSink(to, { offset, length }, sha256);
  assert.ok(sink !== 'lost');
  return sink;
}

/** Writes bytes in pieces, through a buffer that is spoilt at once after each write. */
export async function feed(sink: PartSink, bytes: Uint8Array, chunkBytes = bytes.length || 1): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes));
    const ready = sink.write(chunk);
    chunk.fill(0xee);
    if (ready) await ready;
  }
}

/** Stores one part. @returns its digest. */
export async function storePart(storage: Storage, to: StagedUpload, offset: number, bytes: Uint8Array) {
  const sink = await openSink(storage, to, offset, bytes.length);
  await feed(sink, bytes);
  return (await sink.commit()).sha256;
}

/** Stores a whole upload as one part, unless the storage says before or while it writes that it has lost the place. */
export async function tryPart(storage: Storage, to: StagedUpload, bytes: Uint8Array): Promise<'lost' | 'stored'> {
  const sink = await storage.uploads.openSink(to, { offset: 0, length: bytes.length }, null);
  if (sink === 'lost') return sink;
  try {
    await feed(sink, bytes);
    await sink.commit();
    return 'stored';
  } catch (error) {
    if (error instanceof BytesGone) return 'lost';
    throw error;
  } finally {
    await sink.abort();
  }
}

/** An upload with what a database would have recorded of it. */
export class UploadUnderTest {
  readonly storage: Storage;
  readonly to: StagedUpload;
  readonly #parts = new Map<number, StoredPart>();

  constructor(storage: Storage, to: StagedUpload) {
    this.storage = storage;
    this.to = to;
  }

  get place(): FilePlace {
    return placeOf(this.to, this.storage);
  }

  get parts(): StoredPart[] {
    return [...this.#parts.values()].sort((a, b) => a.idx - b.idx);
  }

  note(idx: number, { sha256, receipt }: CommittedPart): void {
    this.#parts.set(idx, { idx, sha256, receipt });
  }

  /** @returns the digest of what was stored. */
  async store(
    idx: number,
    bytes: Uint8Array,
    { chunkBytes, isDeclared = false }: { chunkBytes?: number; isDeclared?: boolean } = {},
  ): Promise<Uint8Array> {
    const declared = isDeclared ? sha256Of(bytes) : null;
    const sink = await openSink(this.storage, this.to, idx * this.to.partSizeBytes, bytes.length, declared);
    await feed(sink, bytes, chunkBytes);
    const committed = await sink.commit();
    this.note(idx, committed);
    return committed.sha256;
  }

  /** All its parts, in order. */
  async storeAll(bytes: Uint8Array): Promise<void> {
    const { partSizeBytes } = this.to;
    for (let at = 0; at < bytes.length; at += partSizeBytes) {
      await this.store(at / partSizeBytes, bytes.subarray(at, at + partSizeBytes));
    }
  }

  async findLost(): Promise<number[]> {
    return await this.storage.uploads.findLost(this.to, this.parts);
  }

  async renew(): Promise<void> {
    this.to.ref = await this.storage.uploads.renew(this.to);
  }

  async assemble(): Promise<void> {
    await this.storage.uploads.assemble(this.to, this.place, this.parts);
  }

  /** Assembles it first. */
  async digest() {
    await this.assemble();
    return await this.storage.uploads.digest(this.to, this.place);
  }

  async publish(): Promise<FilePlace> {
    await this.assemble();
    await this.storage.uploads.publish(this.to, this.place);
    return this.place;
  }
}

export async function stage(
  storage: Storage,
  id: string,
  sizeBytes: number,
  partSizeBytes?: number,
): Promise<UploadUnderTest> {
  const to = upload(id, sizeBytes, partSizeBytes);
  to.ref = await storage.uploads.create(to);
  return new UploadUnderTest(storage, to);
}

export async function publishWhole(storage: Storage, id: string, bytes: Uint8Array): Promise<UploadUnderTest> {
  const staged = await stage(storage, id, bytes.length);
  await staged.storeAll(bytes);
  await staged.publish();
  return staged;
}

export async function readAll(storage: Storage, file: FilePlace, start = 0, end = file.sizeBytes - 1): Promise<Buffer> {
  const readable = await storage.files.read(file, { start, end });
  assert.ok(readable);
  return Buffer.concat((await readable.toArray()) as Buffer[]);
}
