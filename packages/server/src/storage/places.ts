/** Descriptions of uploads and files for storages. */
import type { MrcOverrides } from '@cryolift/mrc';

/** An upload whose bytes are staged. */
export interface StagedUpload {
  id: string;
  filename: string;
  sizeBytes: number;
  /** Values from its metadata for an MRC file. */
  overrides?: MrcOverrides | undefined;
  /** True when no part is recorded, so that missing staged bytes are no loss. */
  empty: boolean;
}

/** A file that is published, or is about to be. */
export interface FilePlace {
  fileId: string;
  filename: string;
  sizeBytes: number;
  /** Values from its metadata for an MRC file. */
  overrides?: MrcOverrides | undefined;
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
