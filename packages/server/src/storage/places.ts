/** Descriptions of uploads and files for storages. */
import type { MrcOverrides } from '@cryolift/mrc';

/** What a storage finds the staged bytes of an upload by. */
export interface StagedName {
  id: string;
  filename: string;
  /** What `UploadStorage.create` returned; null: nothing, or it has not been called with success yet. */
  ref: string | null;
}

/** An upload whose bytes are staged. */
export interface StagedUpload extends StagedName {
  sizeBytes: number;
  /** Of every part but the last, which may be smaller. */
  partSizeBytes: number;
  /** What its metadata say of an MRC file. */
  overrides?: MrcOverrides | undefined;
  /** True when no part is recorded, so that missing staged bytes are no loss. */
  empty: boolean;
  /** Its length is not known: the staged bytes may be fewer than `sizeBytes`. */
  isGrowing?: boolean;
}

/** A recorded part of an upload. */
export interface StoredPart {
  /** Counted from 0. */
  idx: number;
  /** 32 bytes. */
  sha256: Uint8Array;
  /** As `PartSink.commit` returned it. */
  receipt: string | null;
}

/** A file that is published, or is about to be. */
export interface FilePlace {
  fileId: string;
  filename: string;
  sizeBytes: number;
  /** Values from its metadata for an MRC file. */
  overrides?: MrcOverrides | undefined;
  /** The place of the compressed bytes; otherwise that of its own bytes. */
  isCompressed?: boolean;
}

/** A range of a file, bytes. */
export interface Extent {
  offset: number;
  length: number;
}

/** Some parts of an upload. */
export interface PartSelection {
  partSizeBytes: number;
  /** By index: 1 for a part that is selected. */
  selected: Uint8Array;
}
