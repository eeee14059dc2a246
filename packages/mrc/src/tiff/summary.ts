import type { ByteOrder } from '../header/byte-order.ts';

/** What the directories of a TIFF file say, under the names of Cryolift's API. Safe for JSON. */
export interface TiffSummary {
  readonly format: 'tiff' | 'bigtiff' | 'eer';
  /** As of MRC files: one frame, or several. */
  readonly kind: 'image' | 'stack';
  /** Columns and rows of a frame, pixels. */
  readonly width: number;
  readonly height: number;
  /** Images like the first one. */
  readonly frames: number;
  /** Images of another size or type, such as thumbnails. */
  readonly other_images: number;
  /** Bits of one sample. */
  readonly bits: number;
  readonly sample_format: 'unsigned' | 'signed' | 'float' | 'other';
  /** 1 for grey images. */
  readonly samples: number;
  /** The value of the tag Compression, and its name; null: not known. */
  readonly compression: { readonly code: number; readonly name: string | null };
  readonly layout: 'strips' | 'tiles';
  /** Of strips or tiles, in all frames. */
  readonly blocks: number;
  /** Bytes of all frames as they are stored. */
  readonly data_bytes: number;
  readonly byte_order: ByteOrder;
  /** Å; null: not given, or none of a microscope. */
  readonly pixel_size: number | null;
  readonly software: string | null;
  readonly description: string | null;
  /** Null for files other than EER. */
  readonly eer: EerSummary | null;
  /** Why there are no statistics and no picture; null: there are. */
  readonly not_drawn: string | null;
}

/** What the metadata of an EER file say; null where they say nothing. */
export interface EerSummary {
  /** Three numbers: bits of a run, and of the horizontal and vertical position of an electron inside its pixel. */
  readonly bits: readonly number[] | null;
  readonly camera: string | null;
  /** Seconds. */
  readonly exposure: number | null;
  /** Electrons per pixel and second. */
  readonly dose_rate: number | null;
  /** Electrons per pixel. */
  readonly total_dose: number | null;
  readonly gain_reference: string | null;
  readonly taken: string | null;
}
