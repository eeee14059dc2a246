/**
 * Where the bytes of uploads are staged until they are published. An upload is completed in three steps: `assemble`,
 * `digest`, `publish`.
 */
import type { Extent, FilePlace, PartSelection, StagedName, StagedUpload, StoredPart } from './places.ts';

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
  /**
   * Waits until every byte is written and hashed. With another digest than the one that `openSink` was given, the bytes may
   * not be stored.
   *
   * @throws BytesGone when the upload's place is not there any more; or UploadError.
   */
  commit(): Promise<CommittedPart>;
  /** Resolves once no write of this sink is under way any more; safe to repeat, also after `commit`. */
  abort(): Promise<void>;
}

export interface CommittedPart {
  /** SHA-256 of all bytes, 32 bytes. */
  sha256: Uint8Array;
  /** What the storage finds the stored bytes by, to be kept with the part; null: its place is enough. */
  receipt: string | null;
}

/** What a storage can hold. */
export interface StorageLimits {
  /** Of every part but the last. */
  readonly minPartSizeBytes: number;
  readonly maxPartSizeBytes: number;
  readonly maxPartCount: number;
  /** Part sizes are multiples of this; 1 by default. */
  readonly partSizeStepBytes?: number;
}

/** Staged bytes, as `list` finds them. */
export interface FoundStaged extends StagedName {
  /** Milliseconds since 1970, by the clock of the storage; null: not known. */
  createdAtMs: number | null;
}

export interface WholeDigest {
  /** 32 bytes. */
  sha256: Uint8Array;
  /** The SHA-256 of the parts that were selected, by index. */
  parts: ReadonlyMap<number, Uint8Array>;
}

export interface UploadStorage {
  readonly limits: StorageLimits;
  /** True: `create` returns a reference, which is kept with the upload and passed with it from then on (`ref`). */
  readonly hasRefs: boolean;
  /** The id that the file of an upload must have, where its place is chosen when the upload is created; else null. */
  fileIdOf(uploadId: string): string | null;
  /**
   * A sink for the bytes of one part. The caller makes sure that no two sinks are open for overlapping extents, and
   * writes exactly `extent.length` bytes.
   *
   * @param sha256 of the part, as the client declared it, 32 bytes; null: it did not.
   * @returns 'lost' when parts are recorded and their bytes are gone altogether. A storage that finds this out only when
   *   it writes throws BytesGone from the sink.
   */
  openSink(upload: StagedUpload, extent: Extent, sha256: Uint8Array | null): Promise<PartSink | 'lost'>;
  /** Prepares the place for the bytes of an upload. Safe to repeat; another call may return another reference. */
  create(upload: StagedUpload): Promise<string | null>;
  /**
   * As `create`; what is stored at the place from now on counts as the bytes of this upload, also when it is not what this
   * process has written. The caller verifies its parts again. No sink of the upload may be open.
   *
   * @returns `upload.ref` when its place is still there.
   */
  renew(upload: StagedUpload): Promise<string | null>;
  /**
   * Compares recorded parts with what is stored now: by reading it, or by its receipts where staged bytes cannot be read.
   *
   * @returns the indices of those that are not stored, or not as they were recorded.
   * @throws UploadError when that cannot be found out now.
   */
  findLost(upload: StagedUpload, parts: readonly StoredPart[]): Promise<number[]>;
  /**
   * Makes one readable object of the parts, all of which are recorded. Safe to repeat. A storage that keeps the parts in
   * one object has nothing to make; it may compare their receipts.
   *
   * @param parts all of them, in order.
   * @throws BytesGone when some are not stored as they were recorded; or UploadError.
   */
  assemble(upload: StagedUpload, file: FilePlace, parts: readonly StoredPart[]): Promise<void>;
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
   * @throws BytesGone when what is staged or assembled is not what was digested; or UploadError.
   */
  publish(upload: StagedUpload, file: FilePlace): Promise<void>;
  /**
   * Publishes the bytes of a published file again, as another file, without a client. They are shared where the storage can
   * do that, or else copied and compared with `sha256`. On return the file survives a power loss. Safe to repeat.
   *
   * @param upload of the copy; it has no parts.
   * @throws BytesGone when the bytes of the source are missing, or are others than `sha256` says; or UploadError.
   */
  publishCopy(upload: StagedUpload, source: FilePlace, file: FilePlace, sha256: Uint8Array): Promise<void>;
  /**
   * Undoes an `assemble` or a `publish` that was not recorded. Safe to repeat.
   *
   * @returns 'staged': the bytes are what they were before it. 'lost': they cannot be taken apart, and are removed.
   */
  withdraw(upload: StagedUpload, file: FilePlace): Promise<'staged' | 'lost'>;
  /** Frees the staged bytes. Safe to repeat. No sink of the upload may be open. */
  discard(upload: StagedName): Promise<void>;
  /** All staged bytes. */
  list(): Promise<FoundStaged[]>;
}
