/** An ability of storages that clients can send parts to by themselves, with URLs that the storage checks. */
import type { StagedUpload } from './places.ts';

/** A request with which a client stores one part. It takes the declared bytes and no others. */
export interface SignedPut {
  readonly url: string;
  /** To be sent unchanged. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A part that the storage has, whether it is recorded or not. */
export interface SentPart {
  /** Counted from 0. Services that keep every body of a part list it more than once. */
  readonly idx: number;
  /** As `CommittedPart.receipt`. */
  readonly receipt: string;
  readonly sizeBytes: number;
  /** SHA-256, 32 bytes; null: the service lists none. */
  readonly sha256: Uint8Array | null;
}

export interface Presigner {
  /** The origin of all signed URLs, which browsers must be allowed to connect to. */
  readonly origin: string;
  /**
   * Signs the length and the digest of a part, so that the storage refuses every other body.
   *
   * @param upload with its reference. @param sha256 32 bytes. @param seconds until the URL expires.
   */
  sign(upload: StagedUpload, idx: number, sha256: Uint8Array, seconds: number): Promise<SignedPut>;
  /**
   * The parts between two indices (inclusive) that the storage has.
   *
   * @throws UploadError when this cannot be found out now.
   */
  findSent(upload: StagedUpload, firstIdx: number, lastIdx: number): Promise<SentPart[]>;
}
