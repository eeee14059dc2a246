/** A TIFF, BigTIFF or EER file as an MRC file: what reads MRC files then reads it. */
import type { Finding } from '../finding.ts';
import { HEADER_BYTES } from '../header/layout.ts';
import { bytesPerVoxel } from '../header/mode.ts';
import { buildHeader } from '../header/writer.ts';
import type { MrcOverrides } from '../kind/overrides.ts';
import type { SectionStatistics } from '../statistics/section-statistics.ts';
import type { VoxelSource } from '../voxels/voxels.ts';
import { ReadAhead } from './block-stream.ts';
import { type DecodedShape, shapeOf } from './drawable.ts';
import { EerSum } from './eer-sum.ts';
import type { TiffWarningCode } from './finding.ts';
import { PagedReader } from './reader.ts';
import { RowReader } from './rows.ts';
import type { TiffSummary } from './summary.ts';
import { walkTiff } from './walk.ts';

export interface DecodedTiff {
  readonly tiff: TiffSummary;
  /** Reads the file as an MRC file of `sizeBytes`. Its errors: TiffDataError, and those of the file. */
  readonly source: VoxelSource;
  readonly sizeBytes: number;
  /** How it is to be read as an MRC file. */
  readonly overrides: MrcOverrides;
  /** Of an EER movie that was read: the electrons per pixel of each frame, where the voxels are their sum. */
  readonly frames: SectionStatistics | null;
  /** What was found while the data were read. */
  readonly findings: readonly Finding<TiffWarningCode>[];
}

/**
 * Opens a file to decode it: uncompressed and LZW grey images frame by frame, EER movies as the sum of their frames,
 * with at most 1,024 pixels on the long side. Memory does not depend on what the file declares.
 *
 * @returns null when it cannot be decoded: `TiffSummary.not_drawn` says why. @throws what the source throws.
 */
export async function openTiff(source: VoxelSource, sizeBytes: number): Promise<DecodedTiff | null> {
  const { header, tiff, verdict, frames } = await walkTiff(source, sizeBytes);
  const shape = tiff && shapeOf(tiff);
  if (verdict === 'rejected' || !header || !shape) return null;
  const reader = new PagedReader(source, sizeBytes, header.byteOrder);
  const file = new ReadAhead(source, sizeBytes);
  const places = { reader, file, frames, isBig: header.isBig };
  return tiff.eer ? new DecodedEer(tiff, shape, places) : new DecodedFrames(tiff, shape, places);
}

/** What a TIFF file is as an MRC file: the header, and the size of the whole. Null when it cannot be decoded. */
export function tiffHeader(tiff: TiffSummary): { header: Uint8Array; sizeBytes: number } | null {
  const shape = shapeOf(tiff);
  return shape && { header: headerOf(shape), sizeBytes: HEADER_BYTES + rowBytesOf(shape) * shape.ny * shape.nz };
}

/** How the header of `tiffHeader` is to be read. */
export function tiffOverrides(tiff: TiffSummary): MrcOverrides {
  return overridesOf(tiff, shapeOf(tiff));
}

interface Places {
  readonly reader: PagedReader;
  readonly file: ReadAhead;
  readonly frames: readonly number[];
  readonly isBig: boolean;
}

function headerOf({ binning: _, isConverted: __, mode0: ___, ...fields }: DecodedShape): Uint8Array {
  return buildHeader(fields);
}

function rowBytesOf({ nx, mode }: DecodedShape): number {
  return nx * (bytesPerVoxel(mode) as number);
}

function overridesOf({ kind, eer }: TiffSummary, shape: DecodedShape | null): MrcOverrides {
  return { kind: eer ? 'image' : kind, ...(shape?.mode0 && { mode0: shape.mode0 }) };
}

abstract class Decoded implements DecodedTiff {
  readonly tiff: TiffSummary;
  readonly sizeBytes: number;
  readonly overrides: MrcOverrides;
  abstract readonly frames: SectionStatistics | null;
  abstract readonly findings: readonly Finding<TiffWarningCode>[];
  readonly source: VoxelSource;
  readonly #header: Uint8Array;
  readonly #rowBytes: number;
  /** The row that was read last. */
  #row = -1;
  #bytes = new Uint8Array(0);
  /** Reads take turns, because they share the state of the decoder. */
  #turn: Promise<void> = Promise.resolve();

  constructor(tiff: TiffSummary, shape: DecodedShape) {
    this.tiff = tiff;
    this.#header = headerOf(shape);
    this.#rowBytes = rowBytesOf(shape);
    this.sizeBytes = HEADER_BYTES + this.#rowBytes * shape.ny * shape.nz;
    this.overrides = overridesOf(tiff, shape);
    this.source = {
      read: async (offsetBytes, target) => {
        const before = this.#turn;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#turn = promise;
        await before;
        await this.#read(offsetBytes, target).finally(resolve);
      },
    };
  }

  /** The bytes of a row of voxels, counted over all sections; valid until the next call. */
  protected abstract readRow(row: number): Promise<Uint8Array>;

  async #read(offsetBytes: number, target: Uint8Array): Promise<void> {
    if (offsetBytes + target.length > this.sizeBytes) throw new RangeError('past the end of the file');
    let done = 0;
    if (offsetBytes < HEADER_BYTES) {
      const start = this.#header.subarray(offsetBytes, offsetBytes + target.length);
      target.set(start);
      done = start.length;
    }
    while (done < target.length) {
      const place = offsetBytes + done - HEADER_BYTES;
      const row = Math.floor(place / this.#rowBytes);
      if (row !== this.#row) {
        this.#row = -1;
        this.#bytes = (await this.readRow(row)) as Uint8Array<ArrayBuffer>;
        this.#row = row;
      }
      const from = place - row * this.#rowBytes;
      const piece = this.#bytes.subarray(from, Math.min(this.#rowBytes, from + target.length - done));
      target.set(piece, done);
      done += piece.length;
    }
  }
}

class DecodedFrames extends Decoded {
  readonly frames = null;
  readonly findings = [];
  readonly #rows: RowReader;
  readonly #shape: DecodedShape;
  readonly #isLittle: boolean;
  /** Null: the rows are read as they are stored. */
  readonly #converted: DataView | null;

  constructor(tiff: TiffSummary, shape: DecodedShape, { reader, file, frames, isBig }: Places) {
    super(tiff, shape);
    this.#rows = new RowReader(reader, file, frames, isBig);
    this.#shape = shape;
    this.#isLittle = reader.isLittle;
    this.#converted = shape.isConverted ? new DataView(new ArrayBuffer(4 * shape.nx)) : null;
  }

  protected async readRow(row: number): Promise<Uint8Array> {
    const { nx, ny } = this.#shape;
    const frame = Math.floor(row / ny);
    const stored = await this.#rows.row(frame, row - frame * ny);
    const converted = this.#converted;
    if (!converted) return stored;
    const view = new DataView(stored.buffer, stored.byteOffset, stored.length);
    const { bits, sample_format } = this.tiff;
    for (let x = 0; x < nx; x++) {
      const value =
        bits === 64
          ? view.getFloat64(8 * x, this.#isLittle)
          : sample_format === 'signed'
            ? view.getInt32(4 * x, this.#isLittle)
            : view.getUint32(4 * x, this.#isLittle);
      converted.setFloat32(4 * x, value, true);
    }
    return new Uint8Array(converted.buffer);
  }
}

class DecodedEer extends Decoded {
  readonly #sum: EerSum;
  readonly #nx: number;

  constructor(tiff: TiffSummary, shape: DecodedShape, { reader, file, frames, isBig }: Places) {
    super(tiff, shape);
    this.#nx = shape.nx;
    this.#sum = new EerSum({ reader, file, frames, isBig, shape });
  }

  get frames(): SectionStatistics | null {
    return this.#sum.frames;
  }

  get findings(): readonly Finding<TiffWarningCode>[] {
    return this.#sum.findings;
  }

  protected async readRow(row: number): Promise<Uint8Array> {
    const { buffer, byteOffset } = await this.#sum.read();
    return new Uint8Array(buffer, byteOffset + 4 * row * this.#nx, 4 * this.#nx);
  }
}
