/** Which TIFF files can be drawn, and as what voxels. */
import { count } from '../finding.ts';
import type { HeaderFields } from '../header/writer.ts';
import { isEer, LZW, NO_COMPRESSION } from './compression.ts';
import type { TiffDirectory } from './directory.ts';
import type { TiffSummary } from './summary.ts';

/** A row is decoded at once. */
const MAX_ROW_BYTES = 1024 * 1024;
/** A row of tiles is decoded at once. */
const MAX_BAND_BYTES = 16 * 1024 * 1024;
/** Sides of an EER frame: that of a detector is 4,096. */
const MAX_EER_SIDE = 65_536;
/** The sum of an EER movie is drawn with at most so many pixels on its long side. */
const EER_SUM_PX = 1_024;
/** Decoded bytes ÷ stored bytes. LZW can make 2,000 times as many; movies of counted electrons have about 10 times. */
const MAX_EXPANSION = 200;

/** MODE of the voxels, and their bytes in a decoded file, by sample format and bits. */
const MODES: Readonly<Record<string, { readonly mode: number; readonly isConverted?: true }>> = {
  unsigned8: { mode: 0 },
  signed8: { mode: 0 },
  unsigned16: { mode: 6 },
  signed16: { mode: 1 },
  unsigned32: { mode: 2, isConverted: true },
  signed32: { mode: 2, isConverted: true },
  float16: { mode: 12 },
  float32: { mode: 2 },
  float64: { mode: 2, isConverted: true },
};

type Described = Omit<TiffSummary, 'not_drawn'>;

/** Null: the file can be drawn. */
export function explainNotDrawn(main: TiffDirectory, summary: Described, sizeBytes: number): string | null {
  const { width, height, frames, bits, sample_format, samples, compression, data_bytes, eer } = summary;
  if (data_bytes > sizeBytes) return 'frames share data';
  if (frames === 0) return 'there is no frame';
  if (isEer(compression.code)) {
    if (!eer?.bits) return 'the bits of its codes are not given';
    return Math.max(width, height) > MAX_EER_SIDE ? 'its frames are larger than those of any detector' : null;
  }
  if (samples !== 1) return `its pixels have ${samples} samples; one of grey images is drawn`;
  if (!MODES[`${sample_format}${bits}`]) return `pixels of ${bits} bits (${sample_format}) are not drawn`;
  if (compression.code !== NO_COMPRESSION && compression.code !== LZW) {
    return `the compression ${compression.name ?? compression.code} is not decoded; none and LZW are`;
  }
  if (main.predictor !== 1 && (main.predictor !== 2 || sample_format === 'float')) {
    return `the predictor ${main.predictor} is not decoded`;
  }
  const rowBytes = (main.blockWidth * bits) / 8;
  const band = Math.ceil(width / main.blockWidth) * rowBytes * main.blockHeight;
  if (Math.max(width * 4, rowBytes) > MAX_ROW_BYTES || (main.isTiled && band > MAX_BAND_BYTES)) {
    return `rows of ${count(width)} pixels are too long`;
  }
  if ((width * height * frames * bits) / 8 > MAX_EXPANSION * data_bytes) return 'its data would expand too much';
  return null;
}

/** The voxels that a TIFF file is decoded into. */
export interface DecodedShape extends HeaderFields {
  /** Pixels of a side of a frame in one voxel. */
  readonly binning: number;
  /** Whole numbers or doubles become float32. */
  readonly isConverted: boolean;
  /** Of mode 0. */
  readonly mode0: 'signed' | 'unsigned' | undefined;
}

/** Null when the file is not drawn. An EER movie becomes one image: the sum of its frames, binned. */
export function shapeOf(tiff: TiffSummary): DecodedShape | null {
  if (tiff.not_drawn !== null) return null;
  const { width, height, frames, bits, sample_format, pixel_size, byte_order } = tiff;
  const binning = tiff.eer ? 2 ** Math.ceil(Math.log2(Math.max(width, height, EER_SUM_PX) / EER_SUM_PX)) : 1;
  const [nx, ny, nz] = [Math.ceil(width / binning), Math.ceil(height / binning), tiff.eer ? 1 : frames];
  const { mode, isConverted = false } = tiff.eer
    ? { mode: 2, isConverted: true }
    : (MODES[`${sample_format}${bits}`] as { mode: number; isConverted?: true });
  const pixel = pixel_size === null ? 0 : pixel_size * binning;
  return {
    nx,
    ny,
    nz,
    mode,
    cella: [nx * pixel, ny * pixel, nz],
    m: [nx, ny, 1],
    // The first row of a TIFF image is its top.
    axes: [1, -2, 3],
    byteOrder: isConverted ? 'little' : byte_order,
    binning,
    isConverted,
    mode0: mode === 0 ? (sample_format === 'signed' ? 'signed' : 'unsigned') : undefined,
  };
}
