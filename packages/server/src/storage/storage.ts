/** Where bytes rest. What a store owes, and what its callers owe it. */
import type { Readable } from 'node:stream';
import type {
  Finding,
  MrcOverrides,
  PreviewOutcome,
  PreviewRequest,
  SignednessDecision,
  VoxelStatistics,
} from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';

/** Takes the bytes of one part, in order. */
export interface PartSink {
  /**
   * Takes `bytes` into the store's own memory; the caller may reuse its buffer at once.
   *
   * @returns undefined when more can follow now, or a promise to wait for before the next write (back-pressure). The
   *   promise rejects, and every later call throws, when the bytes cannot be stored: UploadError
   *   `insufficient_storage` or `storage_unavailable`.
   */
  write(bytes: Buffer): Promise<void> | undefined;
  /** Waits until every byte is written and hashed. @returns the SHA-256 of all bytes taken. */
  commit(): Promise<Uint8Array>;
  /** Gives up. Resolves once no write of this sink is under way any more; safe to repeat, also after `commit`. */
  abort(): Promise<void>;
}

export interface PartStore {
  /**
   * A place for the bytes of one part. The caller owes that no two sinks are open for overlapping extents, and that the
   * bytes it writes are exactly `length`.
   *
   * @returns 'lost' when parts are recorded and their bytes are gone altogether.
   */
  openSink(upload: StagedUpload, extent: Extent): Promise<PartSink | 'lost'>;
  /** A sink that only hashes: for bytes that are stored already and come again. */
  openHash(): PartSink;
  /** Makes the staging file of an upload, or gives it its size. Safe to repeat. */
  create(upload: StagedUpload): Promise<void>;
  /**
   * As `create`, and what is there from now on counts as the staging file, also when it is another one than before: the
   * caller owes that its parts are verified again. No sink of it may be open.
   */
  renew(upload: StagedUpload): Promise<void>;
  /** SHA-256 of an extent as it lies in the store. @throws BytesGone, or UploadError when it cannot be read now. */
  hashExtent(uploadId: string, extent: Extent): Promise<Uint8Array>;
  /**
   * The first `prefixBytes` of the upload are stored: their share of the whole-file digest can be computed.
   *
   * @param unverified called when the digest begins: the stored parts whose digests are computed in the same pass.
   */
  notePrefix(upload: StagedUpload, prefixBytes: number, unverified?: () => PartSelection | null): void;
  /**
   * Resolves when the whole-file digest is at most `slackBytes` behind what arrived, or after a moment: a sender that waits for it
   * leaves it the processor, and finds little left to do at the end.
   */
  catchUpDigest(uploadId: string, slackBytes: number): Promise<void>;
  /**
   * Plain SHA-256 of the whole upload, all of whose parts are stored. Joins the work done for `notePrefix`.
   *
   * @param file where the upload is to be published, or was, if a publish was cut off.
   * @param unverified the parts whose digests are computed in the same pass; when the pass has begun already, those that
   *   were selected then.
   * @throws BytesGone, also when the staged bytes are not those that this process has written; or UploadError when they
   *   cannot be read now.
   */
  digestWhole(upload: StagedUpload, file: FilePlace, unverified?: PartSelection | null): Promise<WholeDigest>;
  /** Stored bytes that are still to be read for digests. */
  digestLagBytes(): number;
  /** What was read for the whole-file digest may change: begin again when it is asked for next. */
  forgetDigest(uploadId: string): void;
  /**
   * Makes the upload the file, without reading or copying a byte; on return it survives power loss. Safe to repeat: a
   * publish that was cut off is finished.
   *
   * @throws BytesGone when what is staged is not what was digested; or UploadError.
   */
  publish(upload: StagedUpload, file: FilePlace): Promise<void>;
  /** Brings the bytes of a publish that was not recorded back to where parts are written. Safe to repeat. */
  withdraw(upload: StagedUpload, file: FilePlace): Promise<void>;
  /** Frees what an upload holds. Safe to repeat. No sink of it may be open. */
  discard(uploadId: string): Promise<void>;
  /** Ids of all uploads that hold something in the staging area. */
  listStaged(): Promise<string[]>;

  /** Opens the bytes `start` to `end` (inclusive) of a file; null when they are not there. */
  readFile(file: FilePlace, range: { start: number; end: number }): Promise<Readable | null>;
  /** Size in bytes of a published file; null when it is not there. @throws UploadError when that cannot be found out now. */
  statFile(file: FilePlace): Promise<number | null>;
  /**
   * Plain SHA-256 of a published file as it lies in the store, read anew and after everything that is more urgent.
   *
   * @param pace waited for before so many bytes are read; when it rejects, so does this.
   * @throws BytesGone, or UploadError when they cannot be read now.
   */
  digestFile(file: FilePlace, pace: (bytes: number) => Promise<void>): Promise<Uint8Array>;
  /** Removes a published file and its pictures; on return it is gone for good, also after a power loss. Safe to repeat. */
  removeFile(fileId: string): Promise<void>;
  /** Ids of all published files that the store holds. */
  listFiles(): Promise<string[]>;
  /** Ids of all published files that pictures are kept of. */
  listPreviews(): Promise<string[]>;
  /** URL of a published file for a job on the same storage. */
  locate(file: FilePlace): string;

  /**
   * What one pass over the voxels of a published MRC file finds, as soon as nothing more urgent is left to do; joins what
   * was found while it arrived. Null when its voxels cannot be read.
   *
   * @throws BytesGone, or UploadError when they cannot be read now, or after `signal`.
   */
  analyze(uploadId: string, file: FilePlace, signal: AbortSignal): Promise<AnalysisResult | null>;
  /** Draws a picture of an MRC file, until `signal`; the caller owes that the bytes it shows are there. @throws as `analyze`. */
  render(of: StagedUpload | FilePlace, request: PreviewRequest, signal: AbortSignal): Promise<Rendered>;
  /** Keeps a picture with a published file, and finds it again; null when there is none. */
  keepPreview(fileId: string, name: string, png: Uint8Array): Promise<void>;
  readPreview(fileId: string, name: string): Promise<Uint8Array | null>;

  /** Space that is free for new bytes, and all that there is. */
  space(): Promise<{ freeBytes: number; sizeBytes: number }>;
  close(): Promise<void>;
}

/** The bytes of an upload or a file are not in the store; not a passing failure to read them. */
export class BytesGone extends UploadError {
  /** There is nothing of that name. Otherwise something is in its place that cannot be what was stored. */
  readonly isAbsent: boolean;

  constructor(message: string, options: { cause?: unknown; isAbsent?: boolean } = {}) {
    super('storage_unavailable', message, options);
    this.isAbsent = options.isAbsent ?? false;
  }
}

/** Some parts of an upload. */
export interface PartSelection {
  partSizeBytes: number;
  /** By index: 1 for a part that is selected. */
  selected: Uint8Array;
}

export interface WholeDigest {
  sha256: Uint8Array;
  /** The digests of the parts that were selected, by index. */
  parts: ReadonlyMap<number, Uint8Array>;
}

/** One picture, or why there is none. */
export type Rendered = { kind: 'png'; png: Uint8Array } | Extract<PreviewOutcome, { kind: 'refused' }>;

/** What one pass over a file has found. */
export interface AnalysisResult {
  statistics: VoxelStatistics;
  /** How the bytes of mode 0 were read; null for other modes. */
  signedness: SignednessDecision | null;
  /** Where data and header disagree, and what else the owner should know of the data. */
  findings: Finding<string>[];
  /** The pictures that are worth having of such a file; the first is the one to show. */
  previews: { request: PreviewRequest; png: Uint8Array }[];
}

export interface StagedUpload {
  id: string;
  filename: string;
  sizeBytes: number;
  /** What its metadata say of an MRC file. */
  overrides?: MrcOverrides | undefined;
  /** True when no part is recorded, so that a missing staging area is no loss. */
  empty: boolean;
}

export interface FilePlace {
  fileId: string;
  filename: string;
  sizeBytes: number;
  /** What its metadata say of an MRC file. */
  overrides?: MrcOverrides | undefined;
}

/** A stretch of a file, bytes. */
export interface Extent {
  offset: number;
  length: number;
}
