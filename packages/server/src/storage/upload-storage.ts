/**
 * Where the bytes of uploads are staged until they are published. An upload is completed in three steps: `assemble`,
 * `digest`, `publish`.
 */
import type { Extent, FilePlace, PartSelection, StagedUpload } from './places.ts';

/** Takes the bytes of one part, in order. */
export interface PartSink {
  /**
   * Copies `bytes` into the memory of the storage; the caller may reuse its buffer at once.
   *
   * @returns undefined when more can follow now, or a promise to wait for before the next write (back-pressure). The
   *   promise rejects, and every later call throws, when the bytes cannot be stored: UploadError
   *   `insufficient_storage` or `storage_unavailable`.
   */
  write(bytes: Buffer): Promise<void> | undefined;
  /** Waits until every byte is written and hashed. @returns the SHA-256 of all bytes, 32 bytes. */
  commit(): Promise<Uint8Array>;
  /** Resolves when no write of this sink is running any more; safe to repeat, also after `commit`. */
  abort(): Promise<void>;
}

export interface WholeDigest {
  /** 32 bytes. */
  sha256: Uint8Array;
  /** The SHA-256 of the parts that were selected, by index. */
  parts: ReadonlyMap<number, Uint8Array>;
}

export interface UploadStorage {
  /**
   * A sink for the bytes of one part. The caller makes sure that no two sinks are open for overlapping extents, and
   * writes exactly `extent.length` bytes.
   *
   * @returns 'lost' when parts are recorded and all their bytes are missing.
   */
  openSink(upload: StagedUpload, extent: Extent): Promise<PartSink | 'lost'>;
  /** Prepares the place for the bytes of an upload. Safe to repeat. */
  create(upload: StagedUpload): Promise<void>;
  /**
   * As `create`; the bytes stored there count as those of this upload, also when this process has not written them. The
   * caller verifies its parts again. No sink of the upload may be open.
   */
  renew(upload: StagedUpload): Promise<void>;
  /** SHA-256 of an extent as it is stored, 32 bytes. @throws BytesGone, or UploadError when it cannot be read now. */
  hashExtent(uploadId: string, extent: Extent): Promise<Uint8Array>;
  /**
   * Assembles the parts, all of which are stored, into one readable object. Safe to repeat. A storage that keeps the
   * parts in one object has nothing to do.
   *
   * @throws BytesGone, or UploadError.
   */
  assemble(upload: StagedUpload, file: FilePlace): Promise<void>;
  /**
   * Plain SHA-256 of the whole upload, which is assembled. Joins the work of `PrefixReader.follow`.
   *
   * @param file where the upload is to be published, or was, if a publish was interrupted.
   * @param unverified the parts whose digests are computed in the same pass; when the pass has started already, those
   * that   were selected then.
   * @throws BytesGone, also when the staged bytes are not those that this process has written; or UploadError when they
   * cannot be read now.
   */
  digest(upload: StagedUpload, file: FilePlace, unverified?: PartSelection | null): Promise<WholeDigest>;
  /**
   * Publishes the upload as the file. On local disk no byte is read or copied. On return the file survives a power
   * loss. Safe to repeat: a publish that was interrupted is finished.
   *
   * @throws BytesGone when the staged bytes are not the digested ones; or UploadError.
   */
  publish(upload: StagedUpload, file: FilePlace): Promise<void>;
  /** Undoes a publish that was not recorded: the bytes are staged again. Safe to repeat. */
  withdraw(upload: StagedUpload, file: FilePlace): Promise<void>;
  /** Frees the staged bytes. Safe to repeat. No sink of the upload may be open. */
  discard(uploadId: string): Promise<void>;
  /** Ids of all uploads with staged bytes. */
  list(): Promise<string[]>;
}
