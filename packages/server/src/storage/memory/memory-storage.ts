/**
 * A storage in the memory of the process, for tests that need breadth and no disk. It loses all bytes at a restart, and
 * cannot read staged bytes before they are assembled, like an object store.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';
import { GIB, KIB, MAX_PART_COUNT, partExtent } from '@cryolift/protocol/plan';
import { BytesGone } from '../errors.ts';
import type { FileStorage } from '../file-storage.ts';
import type { Extent, FilePlace, PartSelection, StagedName, StagedUpload, StoredPart } from '../places.ts';
import type { PreviewStorage, Storage } from '../storage.ts';
import type { CommittedPart, FoundStaged, PartSink, UploadStorage, WholeDigest } from '../upload-storage.ts';
import { MemoryPieces } from './memory-pieces.ts';

/** Digested at a time by `FileStorage.digest`. */
const PACE_BYTES = 1024 * 1024;

export class MemoryStorage implements Storage {
  readonly uploads: MemoryUploads;
  readonly pieces: MemoryPieces;
  readonly files: MemoryFiles;
  readonly previews: PreviewStorage = new MemoryPreviews();
  readonly hasOtherWriters = false;
  readonly staged = null;
  readonly prefixes = null;
  readonly lateDigests = null;
  readonly compressor = null;
  readonly presigner = null;
  readonly space = null;

  constructor() {
    const files = new Map<string, Buffer>();
    this.files = new MemoryFiles(files);
    this.uploads = new MemoryUploads(files);
    this.pieces = new MemoryPieces(this.uploads);
  }

  openHash(): PartSink {
    return new MemorySink(null, 0);
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {}
}

export class MemoryUploads implements UploadStorage {
  readonly limits = { minPartSizeBytes: 64 * KIB, maxPartSizeBytes: GIB, maxPartCount: MAX_PART_COUNT };
  readonly hasRefs = false;
  readonly #staged = new Map<string, Buffer>();
  readonly #files: Map<string, Buffer>;

  /** @param files the published ones, by id. */
  constructor(files: Map<string, Buffer>) {
    this.#files = files;
  }

  fileIdOf(): null {
    return null;
  }

  async openSink(upload: StagedUpload, { offset }: Extent): Promise<PartSink | 'lost'> {
    if (!this.#staged.has(upload.id)) {
      if (!upload.empty) return 'lost';
      await this.create(upload);
    }
    return new MemorySink(this.bytesOf(upload.id), offset);
  }

  async create({ id, sizeBytes }: StagedUpload): Promise<null> {
    if (this.#staged.get(id)?.length !== sizeBytes) this.#staged.set(id, Buffer.alloc(sizeBytes));
    return null;
  }

  async renew(upload: StagedUpload): Promise<null> {
    return await this.create(upload);
  }

  async findLost(upload: StagedUpload, parts: readonly StoredPart[]): Promise<number[]> {
    const bytes = this.#staged.get(upload.id);
    const isLost = ({ idx, sha256 }: StoredPart) => {
      const { offset, length } = partExtent(upload.sizeBytes, upload.partSizeBytes, idx);
      return !bytes || Buffer.compare(hash(bytes.subarray(offset, offset + length)), sha256) !== 0;
    };
    return parts.filter(isLost).map(({ idx }) => idx);
  }

  async assemble(): Promise<void> {}

  async digest(upload: StagedUpload, file: FilePlace, unverified: PartSelection | null = null): Promise<WholeDigest> {
    const bytes = this.#files.get(file.fileId) ?? this.bytesOf(upload.id);
    const parts = new Map<number, Uint8Array>();
    unverified?.selected.forEach((isSelected, idx) => {
      const start = idx * unverified.partSizeBytes;
      if (isSelected) parts.set(idx, hash(bytes.subarray(start, start + unverified.partSizeBytes)));
    });
    return { sha256: hash(bytes), parts };
  }

  async publish(upload: StagedUpload, file: FilePlace): Promise<void> {
    const staged = this.#staged.get(upload.id);
    const bytes = staged ?? this.#files.get(file.fileId);
    if (bytes?.length !== file.sizeBytes) throw new BytesGone('The bytes of this upload are not in the storage.');
    this.#files.set(file.fileId, bytes);
    this.#staged.delete(upload.id);
  }

  async publishCopy(_upload: StagedUpload, source: FilePlace, file: FilePlace): Promise<void> {
    const bytes = this.#files.get(source.fileId);
    if (bytes?.length !== file.sizeBytes) throw new BytesGone('The bytes of the file are not in the storage.');
    this.#files.set(file.fileId, bytes);
  }

  async withdraw(upload: StagedUpload, file: FilePlace): Promise<'staged'> {
    const bytes = this.#files.get(file.fileId);
    if (!bytes) return 'staged';
    this.#files.delete(file.fileId);
    this.#staged.set(upload.id, bytes);
    return 'staged';
  }

  async discard({ id }: Pick<StagedName, 'id'>): Promise<void> {
    this.#staged.delete(id);
  }

  async list(): Promise<FoundStaged[]> {
    return [...this.#staged.keys()].map((id) => ({ id, filename: '', ref: null, createdAtMs: null }));
  }

  /** The staged bytes. @throws BytesGone. */
  bytesOf(uploadId: string): Buffer {
    const bytes = this.#staged.get(uploadId);
    if (!bytes) throw new BytesGone('The bytes are not in the storage.', { isAbsent: true });
    return bytes;
  }

  /** Puts other staged bytes in the place of those of an upload. */
  replace(uploadId: string, bytes: Buffer): void {
    this.#staged.set(uploadId, bytes);
  }
}

export class MemoryFiles implements FileStorage {
  readonly #files: Map<string, Buffer>;

  constructor(files: Map<string, Buffer>) {
    this.#files = files;
  }

  async read({ fileId }: FilePlace, { start, end }: { start: number; end: number }): Promise<Readable | null> {
    const bytes = this.#files.get(fileId);
    return bytes && end >= start ? Readable.from([bytes.subarray(start, end + 1)]) : null;
  }

  async stat({ fileId }: FilePlace): Promise<number | null> {
    return this.#files.get(fileId)?.length ?? null;
  }

  async digest(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array> {
    const bytes = this.#files.get(file.fileId);
    if (!bytes) throw new BytesGone('The bytes are not in the storage.', { isAbsent: true });
    for (let at = 0; at < bytes.length; at += PACE_BYTES) await pace(Math.min(PACE_BYTES, bytes.length - at));
    return hash(bytes);
  }

  async remove(fileId: string): Promise<void> {
    this.#files.delete(fileId);
  }

  async list(): Promise<string[]> {
    return [...this.#files.keys()];
  }

  locate({ fileId, filename }: FilePlace): string {
    return `memory:/${fileId}/${encodeURIComponent(filename)}`;
  }

  async sourceUrl(file: FilePlace): Promise<string> {
    return this.locate(file);
  }
}

class MemoryPreviews implements PreviewStorage {
  /** By file, then by name. */
  readonly #kept = new Map<string, Map<string, Uint8Array>>();

  async keep(fileId: string, name: string, png: Uint8Array): Promise<void> {
    const ofFile = this.#kept.get(fileId) ?? new Map();
    this.#kept.set(fileId, ofFile.set(name, Uint8Array.from(png)));
  }

  async read(fileId: string, name: string): Promise<Uint8Array | null> {
    return this.#kept.get(fileId)?.get(name) ?? null;
  }

  async remove(fileId: string): Promise<void> {
    this.#kept.delete(fileId);
  }

  async list(): Promise<string[]> {
    return [...this.#kept.keys()];
  }
}

class MemorySink implements PartSink {
  readonly #target: Buffer | null;
  readonly #hash = createHash('sha256');
  #at: number;
  #sha256: Uint8Array | null = null;
  #isAborted = false;

  /** @param target null: only hash. */
  constructor(target: Buffer | null, offset: number) {
    this.#target = target;
    this.#at = offset;
  }

  write(bytes: Buffer): Promise<void> | undefined {
    if (this.#isAborted) throw new UploadError('storage_unavailable', 'The attempt at this part was aborted.');
    this.#target?.set(bytes, this.#at);
    this.#hash.update(bytes);
    this.#at += bytes.length;
    return this.#pause();
  }

  /** Simulates slow writes: the caller waits after each of them. */
  async #pause(): Promise<void> {
    await setImmediate();
    if (this.#isAborted) throw new UploadError('storage_unavailable', 'The attempt at this part was aborted.');
  }

  async commit(): Promise<CommittedPart> {
    this.#sha256 ??= new Uint8Array(this.#hash.digest());
    return { sha256: this.#sha256, receipt: null };
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
  }
}

function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
