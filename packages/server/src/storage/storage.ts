/**
 * A storage: where the bytes of uploads and files are. An ability that a storage lacks is null. Each storage is a
 * folder here and runs the same tests; `startup/data.ts` opens the one of the settings.
 */
import type { FileCompressor } from './file-compressor.ts';
import type { FileStorage } from './file-storage.ts';
import type { PieceStorage } from './pieces.ts';
import type { FilePlace, PartSelection, StagedUpload } from './places.ts';
import type { Presigner } from './presigner.ts';
import type { PartSink, UploadStorage, WholeDigest } from './upload-storage.ts';

export interface Storage {
  readonly uploads: UploadStorage;
  readonly pieces: PieceStorage;
  readonly files: FileStorage;
  /** Null: files are not compressed. */
  readonly compressor: FileCompressor | null;
  readonly previews: PreviewStorage;
  /**
   * True: several servers write the same files, so that bytes may change after this one has verified them, by a late
   * write of another one. They are verified in the pass that digests the whole.
   */
  readonly hasOtherWriters: boolean;
  /** Null: staged bytes cannot be read before they are assembled. */
  readonly staged: StagedReader | null;
  /** Null: staged bytes are not read while others still arrive. */
  readonly prefixes: PrefixReader | null;
  /** Null: the digest of the whole costs no reading of its own, and is known before a file is published. */
  readonly lateDigests: LateDigester | null;
  /** Null: parts are stored through this server only. */
  readonly presigner: Presigner | null;
  /** Null: the storage has no limit. */
  readonly space: SpaceReporter | null;
  /** A sink that stores nothing and only hashes: for stored bytes that are sent again. */
  openHash(): PartSink;
  /** @throws UploadError `storage_unavailable` when it does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Pictures that are stored with published files. */
export interface PreviewStorage {
  /** @param name of the picture among those of its file. */
  keep(fileId: string, name: string, png: Uint8Array): Promise<void>;
  /** Null when there is none. */
  read(fileId: string, name: string): Promise<Uint8Array | null>;
  /** Removes all pictures of a file. Safe to repeat. */
  remove(fileId: string): Promise<void>;
  /** Ids of all files with stored pictures. */
  list(): Promise<string[]>;
}

export interface StagedReader {
  /** URL of the staged bytes, for `openByteSource`. */
  locate(uploadId: string): string;
}

/** Reads staged bytes while others still arrive. */
export interface PrefixReader extends StagedReader {
  /**
   * The first `prefixBytes` of the upload are stored: their share of the whole-file digest can be computed.
   *
   * @param unverified called when the pass starts: the stored parts whose digests are computed in it.
   */
  follow(upload: StagedUpload, prefixBytes: number, unverified?: () => PartSelection | null): void;
  /**
   * Resolves when the whole-file digest is at most `slackBytes` behind, or after a short time: waiting senders leave
   * CPU time to the digest, so that the completion is fast.
   */
  catchUp(uploadId: string, slackBytes: number): Promise<void>;
  /** Stored bytes that are not hashed yet. */
  lagBytes(): number;
  /** The bytes that were read may change: the pass starts again at the next request. */
  forget(uploadId: string): void;
  /** One Int32: 1 while digests are computed. Background work yields to them. */
  readonly digesting: SharedArrayBuffer;
}

/** Digests files after they were published, because that reads all of their bytes. */
export interface LateDigester {
  /**
   * Plain SHA-256 of a file as it is stored, and of the selected parts of it.
   *
   * @throws BytesGone, UploadError when the file cannot be read now, or the reason of `signal`.
   */
  digest(file: FilePlace, parts: PartSelection, signal: AbortSignal): Promise<WholeDigest>;
}

export interface SpaceReporter {
  /** Free and total space. @throws UploadError when it cannot be determined now. */
  read(): Promise<{ freeBytes: number; sizeBytes: number }>;
}
