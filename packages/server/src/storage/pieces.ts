/**
 * Where the bytes of appended uploads are that are not a whole part yet. In a folder they are at their place in the
 * upload; an object storage, whose parts cannot be read or continued, keeps them as objects of their own.
 */
import type { Extent, StagedUpload } from './places.ts';
import type { PartSink } from './upload-storage.ts';

/** A piece that is stored. */
export interface StoredPiece extends Extent {
  /** 32 bytes. */
  sha256: Uint8Array;
  /** As `PartSink.commit` returned it. */
  receipt: string | null;
}

export interface PieceStorage {
  /**
   * Null: pieces are at their place in the upload. A part is stored when its pieces are, and a sink of a part or a piece
   * may be committed after fewer bytes than its extent has. Otherwise: the most bytes of a piece, which is in memory until
   * it is stored.
   */
  readonly maxBytes: number | null;
  /** A sink for a piece. As `UploadStorage.openSink`; fewer bytes than `extent.length` may be written. */
  open(upload: StagedUpload, extent: Extent): Promise<PartSink | 'lost'>;
  /** SHA-256 of the bytes as they are stored now, 32 bytes. @throws BytesGone, UploadError. */
  hash(upload: StagedUpload, piece: Extent & Pick<StoredPiece, 'receipt'>): Promise<Uint8Array>;
  /** The bytes as they are stored now. @throws BytesGone, UploadError, also while they are read. */
  read(upload: StagedUpload, piece: Extent & Pick<StoredPiece, 'receipt'>): AsyncIterable<Buffer>;
  /**
   * Gives the place of an upload another length; where several servers write, not before its length is known. Bytes before
   * the shorter of the two are kept. Safe to repeat.
   */
  resize(upload: StagedUpload): Promise<void>;
  /** Frees pieces that were copied into a part. Safe to repeat. */
  remove(upload: StagedUpload, pieces: readonly StoredPiece[]): Promise<void>;
  /** Frees all pieces of an upload that has ended. Safe to repeat. */
  discard(uploadId: string): Promise<void>;
  /** Ids of all uploads with pieces that `discard` would free. */
  list(): Promise<string[]>;
}
